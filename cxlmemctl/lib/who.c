// SPDX-License-Identifier: LGPL-2.1
/*
 * Which processes have memory on a device: those whose page tables name pages of
 * its range. /proc/PID/pagemap tells root.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "private.h"

struct search {
	struct cxlmem_ctx *ctx;
	uint64_t page;
	struct range range;
	const struct held *held;
	int (*found)(const struct mapper *mapper, void *data);
	void *data;
	/* of the process that is looked at */
	int fd;
	struct mapper mapper;
	bool hidden;			/* the kernel does not tell page frames */
};

static void count(struct search *search, uint64_t start, uint64_t end, bool huge)
{
	uint64_t entries[4096], at = start / search->page, last = end / search->page;
	struct mapper *mapper = &search->mapper;

	while (at < last) {
		size_t want = last - at < ARRAY_SIZE(entries) ? last - at : ARRAY_SIZE(entries);
		ssize_t len = pread(search->fd, entries, want * sizeof(*entries),
				    at * sizeof(*entries));
		size_t i, nr = len > 0 ? len / sizeof(*entries) : 0;

		if (!nr)
			return;
		for (i = 0; i < nr; i++) {
			uint64_t address = (entries[i] & PAGE_PFN) * search->page;

			if (!(entries[i] & PAGE_PRESENT))
				continue;
			if (!address)
				search->hidden = true;
			if (!in_range(&search->range, address))
				continue;
			mapper->bytes += search->page;
			if (huge)
				mapper->huge += search->page;
			if (search->held && is_held(search->held, address))
				mapper->held += search->page;
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
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_HUGE,
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
			count(search, regions[i].start, regions[i].end,
			      regions[i].categories & PAGE_IS_HUGE);
		arg.start = arg.walk_end;
	}
	start = arg.start;
#endif
	if (start < end)
		count(search, start, end, false);
	return 0;
}

static int look_at(const char *name, void *data)
{
	struct search *search = data;
	uint64_t pid;

	if (parse_u64(name, 10, &pid) || !pid || pid > INT_MAX)
		return 0;
	search->fd = process_open_pagemap(search->ctx, pid);
	if (search->fd < 0)
		return 0;
	search->mapper = (struct mapper){ .pid = pid };
	process_each_mapping(search->ctx, pid, count_mapping, search);
	close(search->fd);
	if (search->hidden)
		return fail(search->ctx, EPERM,
			    "the kernel does not tell where the pages of processes are; that needs CAP_SYS_ADMIN");
	return search->mapper.bytes ? search->found(&search->mapper, search->data) : 0;
}

int who_maps(struct cxlmem_ctx *ctx, const struct range *range, const struct held *held,
	     int (*found)(const struct mapper *mapper, void *data), void *data)
{
	struct search search = {
		.ctx = ctx,
		.page = sysconf(_SC_PAGESIZE),
		.range = *range,
		.held = held,
		.found = found,
		.data = data,
	};

	return sysfs_each(ctx, "proc", look_at, &search);
}

struct telling {
	struct cxlmem_device *dev;
	int (*owner)(const struct cxlmem_owner *owner, void *data);
	void *data;
	int64_t sum;
};

/* "64K held, it has io_uring; may use this node only" */
static void write_note(const struct telling *telling, const struct mapper *mapper, char *text,
		       size_t size)
{
	char amount[16], means[ATTR_LEN];
	size_t len = 0;

	text[0] = '\0';
	if (mapper->held) {
		process_means(telling->dev->ctx, mapper->pid, means, sizeof(means));
		len = snprintf(text, size, "%s held%s%s",
			       cxlmem_format_size(mapper->held, amount, sizeof(amount)),
			       means[0] ? " by way of " : "", means);
	}
	if (len < size && process_is_bound(telling->dev->ctx, mapper->pid, telling->dev->node))
		snprintf(text + len, size - len, "%smay use this node only", len ? "; " : "");
}

static int tell(const struct mapper *mapper, void *data)
{
	char command[ATTR_LEN], cgroup[PATH_MAX], note[ATTR_LEN + 64];
	struct telling *telling = data;
	struct cxlmem_ctx *ctx = telling->dev->ctx;
	struct cxlmem_owner owner = {
		.pid = mapper->pid,
		.command = "",
		.bytes = mapper->bytes,
		.cgroup = "",
		.huge = mapper->huge,
		.held = mapper->held,
		.note = note,
	};
	uint64_t uid;

	telling->sum += mapper->bytes;
	if (!process_number(ctx, mapper->pid, "Uid", &uid))
		owner.uid = uid;
	if (sysfs_read(ctx, command, sizeof(command), "proc/%d/comm", (int)mapper->pid) > 0)
		owner.command = command;
	if (!process_cgroup(ctx, mapper->pid, cgroup, sizeof(cgroup)))
		owner.cgroup = cgroup;
	write_note(telling, mapper, note, sizeof(note));
	return telling->owner(&owner, telling->data);
}

EXPORT int64_t cxlmem_device_who(struct cxlmem_device *dev,
				 int (*owner)(const struct cxlmem_owner *owner, void *data),
				 void *data)
{
	struct telling telling = { .dev = dev, .owner = owner, .data = data };
	struct held held;
	int rc;

	if (geteuid() && !dev->ctx->fake)
		return fail(dev->ctx, EPERM,
			    "only root may know where the pages of processes are");
	/* Of a device whose attributes make no sense nothing can be told. */
	rc = device_check(dev);
	if (rc)
		return rc;
	held_read(dev, &held);
	rc = who_maps(dev->ctx, &dev->range, &held, tell, &telling);
	free(held.v);
	return rc < 0 ? rc : telling.sum;
}
