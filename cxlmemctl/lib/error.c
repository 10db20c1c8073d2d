// SPDX-License-Identifier: LGPL-2.1
/* What went wrong, in words. */
#include <stdarg.h>

#include "private.h"

EXPORT const char *cxlmem_error(struct cxlmem_ctx *ctx)
{
	return ctx->error ? ctx->error : "";
}

int fail(struct cxlmem_ctx *ctx, int err, const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	/* The old text may be among the arguments, so it is freed last. */
	free(ctx->error);
	ctx->error = len < 0 ? NULL : text;
	return -err;
}
