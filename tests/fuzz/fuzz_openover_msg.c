/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever decodes is within its bounds: texts end, candidates are counted,
 * and what was said to be there can be written again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[OO_FRAME_MAX];
	struct oo_msg m;
	struct wire_wr w;

	if (oo_msg_decode(data, size, &m) != IAX2_OK)
		return 0;
	if (strlen(m.called) > IAX2_NUMBER_MAX ||
	    strlen(m.username) > IAX2_NUMBER_MAX ||
	    strlen(m.challenge) > OO_TOKEN_TEXT_MAX ||
	    m.candidates.n > OO_CANDIDATES_MAX)
		abort();
	w = oo_frame_begin(buf, (uint8_t)(m.hdr.subclass & 0x7f), &m.hdr);
	oo_put_candidates(&w, &m.candidates);
	if (m.has_ports)
		oo_put_ports(&w, &m.ports);
	if (m.has_reflexive)
		oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, &m.reflexive);
	if (!w.bad && oo_msg_decode(buf, (size_t)(w.p - buf), &m) != IAX2_OK)
		abort();
	return 0;
}
