/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "daemon/io/asl_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read as an answer and as a question; what was read as a question is answered,
 * and that is read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asl_reg_answer a = { .status = 200 };
	struct asl_json_ask q;
	char *text;

	asl_json_read_answer((const char *)data, size, 4569, &a);
	if ((net_addr_is_set(&a.apparent) && !net_addr_is_v4(&a.apparent)) ||
	    a.word > ASL_REG_BAD)
		abort();
	if (!asl_json_read_question((const char *)data, size, &q))
		return 0;
	if (q.port == 0 || q.n == 0 || q.n > ASL_JSON_NODES)
		abort();
	for (size_t i = 0; i < q.n; i++)
		q.node[i].word = ASL_REG_GOOD;
	text = asl_json_answer(&q, "192.0.2.1", 179);
	if (!text)
		abort();
	a.word = ASL_REG_UNCLEAR;
	asl_json_read_answer(text, strlen(text), 1, &a);
	if (a.apparent.port != q.port || a.refresh_s != 179)
		abort();
	free(text);
	return 0;
}
