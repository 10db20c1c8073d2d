// SPDX-License-Identifier: LGPL-2.1
/* The library context: what is known of this machine. */
#include <fcntl.h>
#include <unistd.h>

#include "private.h"

static void forget_devices(struct cxlmem_ctx *ctx)
{
	while (ctx->devices) {
		struct cxlmem_device *next = ctx->devices->next;

		free(ctx->devices);
		ctx->devices = next;
	}
	ctx->scanned = false;
}

EXPORT int cxlmem_new(struct cxlmem_ctx **result)
{
	struct cxlmem_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return -ENOMEM;
	ctx->refs = 1;
	ctx->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ctx->root < 0) {
		int err = errno;

		free(ctx);
		return -err;
	}
	*result = ctx;
	return 0;
}

EXPORT struct cxlmem_ctx *cxlmem_ref(struct cxlmem_ctx *ctx)
{
	ctx->refs++;
	return ctx;
}

EXPORT void cxlmem_unref(struct cxlmem_ctx *ctx)
{
	if (!ctx || --ctx->refs)
		return;
	forget_devices(ctx);
	close(ctx->root);
	free(ctx->error);
	free(ctx);
}

EXPORT int cxlmem_set_sysroot(struct cxlmem_ctx *ctx, const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(ctx, errno, "cannot open the directory %s: %s", path, strerror(errno));
	close(ctx->root);
	ctx->root = fd;
	ctx->fake = true;
	ctx->block_size = 0;
	forget_devices(ctx);
	return 0;
}

EXPORT int cxlmem_rescan(struct cxlmem_ctx *ctx)
{
	forget_devices(ctx);
	cxlmem_device_get_first(ctx);
	return ctx->scanned ? 0 : -ENOMEM;
}
