/* SPDX-License-Identifier: MIT */

#include "proto/iax2_err.h"

#include <stddef.h>

const char *iax2_err_str(enum iax2_err err)
{
	static const char *const text[] = {
#define X(name, str) [name] = (str),
		IAX2_ERR_TABLE(X)
#undef X
	};
	const size_t idx = (size_t)err;

	return idx < sizeof(text) / sizeof(text[0]) ? text[idx] : "unknown";
}
