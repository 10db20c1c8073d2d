// SPDX-License-Identifier: LGPL-2.1
/*
 * Which processes have memory on a device: those whose page tables name pages of
 * its range. /proc/PID/pagemap tells root.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "private.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_PRESENT	(1ull << 63)
#define PAGE_PFN	((1ull << 55) - 1)

struct search {
	struct cxlmem_ctx *ctx;
	uint64_t page;
	uint64_t first;			/* page frames of the device */
	uint64_t end;
	int (*owner)(const struct cxlmem_owner *owner, void *data);
	void *data;
	int64_t sum;
	/* of the process that is looked at */
	int fd;
	uint64_t bytes;
	bool hidden;			/* the kernel does not tell page frames */
};

static void count(struct search *search, uint64_t start, uint64_t end)
{
	uint64_t entries[4096], at = start / search->page, last = end / search->page;

	while (at < last) {
		size_t want = last - at < ARRAY_SIZE(entries) ? last - at : ARRAY_SIZE(entries);
		ssize_t len = pread(search->fd, entries, want * sizeof(*entries),
				    at * sizeof(*entries));
		size_t i, nr = len > 0 ? len / sizeof(*entries) : 0;

		if (!nr)
			return;
		for (i = 0; i < nr; i++) {
			uint64_t frame = entries[i] & PAGE_PFN;

			if (!(entries[i] & PAGE_PRESENT))
				continue;
			if (!frame)
				search->hidden = true;
			if (frame >= search->first && frame < search->end)
				search->bytes += search->page;
		}
		at += nr;
	}
}

/*
 * Programs reserve far more than they use, some of them terabytes; the kernel
 * knows what is there. Where it cannot be asked, all is looked at.
 */
static int count_mapping(uint64_t start, uint64_t end, const char *name, void *data)
{
	struct search *search = data;
#ifdef PAGEMAP_SCAN
	struct page_region regions[64];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = ARRAY_SIZE(regions),
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT,
	};
	int i, nr;
#endif

	(void)name;
	/* The kernel's own page that x86 lets all programs see. */
	if (start > INT64_MAX)
		return 0;
#ifdef PAGEMAP_SCAN
	while (arg.start < end) {
		nr = ioctl(search->fd, PAGEMAP_SCAN, &arg);
		if (nr < 0 || nr > (int)ARRAY_SIZE(regions) || arg.walk_end <= arg.start)
			break;
		for (i = 0; i < nr; i++)
			count(search, regions[i].start, regions[i].end);
		arg.start = arg.walk_end;
	}
	start = arg.start;
#endif
	if (start < end)
		count(search, start, end);
	return 0;
}

static int look_at(const char *name, void *data)
{
	struct search *search = data;
	struct cxlmem_owner owner = { .command = "" };
	char command[ATTR_LEN], path[64];
	uint64_t pid, uid;

	if (parse_u64(name, 10, &pid) || !pid || pid > INT_MAX)
		return 0;
	snprintf(path, sizeof(path), "proc/%d/pagemap", (int)pid);
	search->fd = openat(search->ctx->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (search->fd < 0)
		return 0;
	search->bytes = 0;
	process_each_mapping(search->ctx, pid, count_mapping, search);
	close(search->fd);
	if (search->hidden)
		return fail(search->ctx, EPERM,
			    "the kernel does not tell where the pages of processes are; that needs CAP_SYS_ADMIN");
	if (!search->bytes)
		return 0;
	owner.pid = pid;
	owner.bytes = search->bytes;
	search->sum += search->bytes;
	if (!process_number(search->ctx, pid, "Uid", &uid))
		owner.uid = uid;
	if (sysfs_read(search->ctx, command, sizeof(command), "proc/%d/comm", (int)pid) > 0)
		owner.command = command;
	return search->owner(&owner, search->data);
}

EXPORT int64_t cxlmem_device_who(struct cxlmem_device *dev,
				 int (*owner)(const struct cxlmem_owner *owner, void *data),
				 void *data)
{
	struct search search = {
		.ctx = dev->ctx,
		.page = sysconf(_SC_PAGESIZE),
		.owner = owner,
		.data = data,
	};
	int rc;

	if (geteuid() && !dev->ctx->fake)
		return fail(dev->ctx, EPERM,
			    "only root may know where the pages of processes are");
	/* Of a device whose attributes make no sense nothing can be told. */
	rc = device_check(dev);
	if (rc)
		return rc;
	search.first = dev->range.start / search.page;
	search.end = search.first + dev->range.size / search.page;
	rc = sysfs_each(dev->ctx, "proc", look_at, &search);
	return rc < 0 ? rc : search.sum;
}
