// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc that need more than one line of code: iomem, kpageflags and
 * locks. Each gets the same input.
 *
 * runs: 10000
 * length: 2000
 */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "fuzz.h"

static void iomem(struct cxlmem_ctx *ctx)
{
	char name[16];
	int rc = iomem_holder(ctx, START, BLOCK, name, sizeof(name));

	must(rc == 0 || (rc == 1 && strlen(name) < sizeof(name)), "%d", rc);
}

static void kpageflags(struct cxlmem_ctx *ctx)
{
	char text[100];

	pages_describe(ctx, 0, MIB, text, sizeof(text));
	must(strlen(text) < sizeof(text));
	must(pages_unmovable(ctx, 0, MIB) <= MIB);
}

/* Somebody has the lock; who that is stands in /proc/locks. */
static void locks(struct cxlmem_device *dev, struct cxlmem_ctx *ctx)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;

	options.flags = CXLMEM_NO_WAIT;
	must(cxlmem_device_evacuate(dev, &options) == -EBUSY);
	must(!strncmp(cxlmem_error(ctx), "another program", 15), "%s", cxlmem_error(ctx));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cxlmem_ctx *ctx = fuzz_context();
	static struct cxlmem_device *dev;

	if (!dev) {
		put_machine();
		put_device(0);
		put("run/cxlmem/cxlmem0.lock", "%s", "");
		must(!flock(open("run/cxlmem/cxlmem0.lock", O_RDWR), LOCK_EX));
		dev = find(ctx, "cxlmem0");
	}
	put_bytes("proc/iomem", data, size);
	put_bytes("proc/kpageflags", data, size);
	put_bytes("proc/locks", data, size);
	iomem(ctx);
	kpageflags(ctx);
	locks(dev, ctx);
	return 0;
}
