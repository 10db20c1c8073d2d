// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc that need more than one line of code: iomem, kpageflags, locks
 * and those of a process; and the driver's of what is held. Each gets the same input.
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
	struct pages pages;
	char text[100];

	pages_describe(ctx, 0, MIB, text, sizeof(text));
	must(strlen(text) < sizeof(text));
	pages_count(ctx, 0, MIB, &pages);
	must(pages.in_use <= MIB && pages.unmovable <= pages.in_use);
}

static void held(struct cxlmem_device *dev)
{
	struct held held;
	size_t i;

	held_read(dev, &held);
	for (i = 0; i < held.nr; i++)
		must(held.v[i].range.size <= UINT64_MAX - held.v[i].range.start);
	held_keep(&held, &dev->usable, 1u << HELD | 1u << FIXED);
	free(held.v);
}

static int on_content(const struct cxlmem_content *content, void *data)
{
	(void)data;
	must(content->bytes && strlen(content->kind));
	return 0;
}

static void contents(struct cxlmem_device *dev)
{
	must(cxlmem_device_contents(dev, on_content, NULL) <= (int64_t)dev->usable.size);
}

/* Each of one process. */
static void process(struct cxlmem_ctx *ctx)
{
	char text[32];
	uint64_t cpu;

	process_cpu(ctx, 7, &cpu);
	process_is_bound(ctx, 7, 1);
	must(process_cgroup(ctx, 7, text, sizeof(text)) || strlen(text) < sizeof(text));
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
	put_bytes("proc/7/stat", data, size);
	put_bytes("proc/7/status", data, size);
	put_bytes("proc/7/numa_maps", data, size);
	put_bytes("proc/7/cgroup", data, size);
	put_bytes("sys/class/cxlmem/cxlmem0/contents/held", data, size);
	put_bytes("sys/class/cxlmem/cxlmem0/contents/files", data, size);
	iomem(ctx);
	kpageflags(ctx);
	held(dev);
	contents(dev);
	process(ctx);
	locks(dev, ctx);
	return 0;
}
