/* SPDX-License-Identifier: MIT */

/* What decodes encodes again, and means the same afterwards. */

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void full(const uint8_t *data, size_t size)
{
	struct iax2_full f, again;
	uint8_t buf[2048];
	size_t len = 0;

	if (size > sizeof(buf) || iax2_full_decode(data, size, &f) != IAX2_OK)
		return;
	must(iax2_full_encode(&f, buf, sizeof(buf), &len) == IAX2_OK);
	must(len == size);
	must(iax2_full_decode(buf, len, &again) == IAX2_OK);
	must(again.src_callno == f.src_callno &&
	     again.dst_callno == f.dst_callno &&
	     again.retransmit == f.retransmit && again.ts_ms == f.ts_ms &&
	     again.oseq == f.oseq && again.iseq == f.iseq &&
	     again.type == f.type && again.subclass == f.subclass &&
	     again.body_len == f.body_len);
	must(f.body_len == 0 || memcmp(again.body, f.body, f.body_len) == 0);
	(void)iax2_ie_check(f.body, f.body_len);
}

static void mini(const uint8_t *data, size_t size)
{
	struct iax2_mini m;
	uint8_t buf[2048];
	size_t len = 0;

	if (size > sizeof(buf) || iax2_mini_decode(data, size, &m) != IAX2_OK)
		return;
	must(iax2_mini_encode(&m, buf, sizeof(buf), &len) == IAX2_OK);
	must(len == size && memcmp(buf, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum iax2_kind kind;

	(void)iax2_frame_kind(data, size, &kind);
	full(data, size);
	mini(data, size);
	return 0;
}
