// SPDX-License-Identifier: LGPL-2.1
/*
 * Which processes have memory on a device: those whose page tables name pages of
 * its range. /proc/PID/pagemap tells root.
 */
#include <unistd.h>

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

static int count_page(const struct mapped_page *page, void *data)
{
	struct search *search = data;
	struct mapper *mapper = &search->mapper;

	if (!page->address)
		search->hidden = true;
	if (!in_range(&search->range, page->address))
		return 0;
	mapper->bytes += search->page;
	if (page->huge)
		mapper->huge += search->page;
	if (search->held && is_held(search->held, page->address))
		mapper->held += search->page;
	return 0;
}

static int count_mapping(uint64_t start, uint64_t end, void *data)
{
	struct search *search = data;

	return process_each_page(search->fd, start, end, count_page, search);
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
	/* No process is to blame for its file system. */
	held_keep(&held, &dev->range, 1u << HELD | 1u << PINNED);
	rc = who_maps(dev->ctx, &dev->range, &held, tell, &telling);
	free(held.v);
	return rc < 0 ? rc : telling.sum;
}
