/* SPDX-License-Identifier: MIT */

#include "proto/iax2_name.h"

#include <stddef.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/openover_msg.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const frame_types[] = {
	[IAX2_FRAME_DTMF_END] = "DTMF_END",
	[IAX2_FRAME_VOICE] = "VOICE",
	[IAX2_FRAME_VIDEO] = "VIDEO",
	[IAX2_FRAME_CONTROL] = "CONTROL",
	[IAX2_FRAME_NULL] = "NULL",
	[IAX2_FRAME_IAX] = "IAX",
	[IAX2_FRAME_TEXT] = "TEXT",
	[IAX2_FRAME_IMAGE] = "IMAGE",
	[IAX2_FRAME_HTML] = "HTML",
	[IAX2_FRAME_CNG] = "CNG",
	[IAX2_FRAME_MODEM] = "MODEM",
	[IAX2_FRAME_DTMF_BEGIN] = "DTMF_BEGIN",
};

static const char *const iax[] = {
	[IAX2_IAX_NEW] = "NEW",
	[IAX2_IAX_PING] = "PING",
	[IAX2_IAX_PONG] = "PONG",
	[IAX2_IAX_ACK] = "ACK",
	[IAX2_IAX_HANGUP] = "HANGUP",
	[IAX2_IAX_REJECT] = "REJECT",
	[IAX2_IAX_ACCEPT] = "ACCEPT",
	[IAX2_IAX_AUTHREQ] = "AUTHREQ",
	[IAX2_IAX_AUTHREP] = "AUTHREP",
	[IAX2_IAX_INVAL] = "INVAL",
	[IAX2_IAX_LAGRQ] = "LAGRQ",
	[IAX2_IAX_LAGRP] = "LAGRP",
	[IAX2_IAX_REGREQ] = "REGREQ",
	[IAX2_IAX_REGAUTH] = "REGAUTH",
	[IAX2_IAX_REGACK] = "REGACK",
	[IAX2_IAX_REGREJ] = "REGREJ",
	[IAX2_IAX_REGREL] = "REGREL",
	[IAX2_IAX_VNAK] = "VNAK",
	[IAX2_IAX_DPREQ] = "DPREQ",
	[IAX2_IAX_DPREP] = "DPREP",
	[IAX2_IAX_DIAL] = "DIAL",
	[IAX2_IAX_TXREQ] = "TXREQ",
	[IAX2_IAX_TXCNT] = "TXCNT",
	[IAX2_IAX_TXACC] = "TXACC",
	[IAX2_IAX_TXREADY] = "TXREADY",
	[IAX2_IAX_TXREL] = "TXREL",
	[IAX2_IAX_TXREJ] = "TXREJ",
	[IAX2_IAX_QUELCH] = "QUELCH",
	[IAX2_IAX_UNQUELCH] = "UNQUELCH",
	[IAX2_IAX_POKE] = "POKE",
	[IAX2_IAX_MWI] = "MWI",
	[IAX2_IAX_UNSUPPORT] = "UNSUPPORT",
	[IAX2_IAX_TRANSFER] = "TRANSFER",
	[IAX2_IAX_PROVISION] = "PROVISION",
	[IAX2_IAX_FWDOWNL] = "FWDOWNL",
	[IAX2_IAX_FWDATA] = "FWDATA",
	[IAX2_IAX_CALLTOKEN] = "CALLTOKEN",
	[OO_OPEN_REQUEST] = "OPEN_REQUEST",
	[OO_MEASURE] = "MEASURE",
	[OO_OPEN] = "OPEN",
	[OO_OVER] = "OVER",
	[OO_RELAY] = "RELAY",
	[IAX2_IAX_MOVE] = "MOVE",
};

static const char *const control[256] = {
	[IAX2_CONTROL_HANGUP] = "HANGUP",
	[IAX2_CONTROL_RINGING] = "RINGING",
	[IAX2_CONTROL_ANSWER] = "ANSWER",
	[IAX2_CONTROL_BUSY] = "BUSY",
	[IAX2_CONTROL_CONGESTION] = "CONGESTION",
	[IAX2_CONTROL_FLASH] = "FLASH",
	[IAX2_CONTROL_OPTION] = "OPTION",
	[IAX2_CONTROL_KEY] = "KEY",
	[IAX2_CONTROL_UNKEY] = "UNKEY",
	[IAX2_CONTROL_PROGRESS] = "PROGRESS",
	[IAX2_CONTROL_PROCEEDING] = "PROCEEDING",
	[IAX2_CONTROL_HOLD] = "HOLD",
	[IAX2_CONTROL_UNHOLD] = "UNHOLD",
	[IAX2_CONTROL_STOP_SOUNDS] = "STOP_SOUNDS",
};

const char *iax2_frame_type_name(uint8_t type)
{
	return type < COUNT(frame_types) ? frame_types[type] : NULL;
}

const char *iax2_iax_name(uint8_t octet)
{
	return octet < COUNT(iax) ? iax[octet] : NULL;
}

const char *iax2_control_name(uint8_t octet)
{
	return control[octet];
}
