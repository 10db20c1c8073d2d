// SPDX-License-Identifier: LGPL-2.1
/* Putting memory blocks on line and off line, one by one, and what is told of those that fail. */
#include "private.h"

#define MEMORY "sys/devices/system/memory"

/* Without a reason, it is looked for. */
void event_block(struct transition *t, uint64_t index, const char *reason)
{
	uint64_t size = block_size(t->ctx);
	struct cxlmem_event event = {
		.type = CXLMEM_EVENT_BLOCK,
		.block = index,
		.start = index * size,
		.size = size,
		.reason = reason,
	};
	const struct range range = { event.start, size };
	struct obstacle obstacle;
	char pages[512];

	if (!reason) {
		event.reason = "the kernel gives no reason; \"dmesg\" may tell more";
		if (obstacle_find(t, &range, &obstacle)) {
			event.reason = obstacle.reason;
			if (obstacle.remedy[0])
				event.remedy = obstacle.remedy;
		}
	}
	pages_describe(t->ctx, event.start, size, pages, sizeof(pages));
	if (pages[0])
		event.pages = pages;
	event_send(t, &event);
}

static int write_state(struct transition *t, uint64_t index, const char *state, const char *doing)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MEMORY "/memory%ju/state", (uintmax_t)index);
	return supervised_write(t, path, state, doing, NULL);
}

static const char *online_reason(int rc)
{
	switch (rc) {
	case -EPERM:
		return "the driver does not allow that zone";
	case -ENOMEM:
		return "the host has too little memory for the kernel's description of it";
	case -EINVAL:
		return "the kernel does not allow that zone for this block";
	default:
		return strerror(-rc);
	}
}

static bool is_online_in(struct cxlmem_ctx *ctx, uint64_t index, bool movable)
{
	return block_read(ctx, index) == BLOCK_ONLINE && block_is_movable(ctx, index) == movable;
}

/*
 * That somebody else (the kernel's policy, a udev rule) was faster is fine as
 * long as the zone is right. The cxlmem driver sees to that; a stock dax
 * device may have gone to a kernel zone, and is taken back from there while
 * that still works.
 */
static int write_online(struct transition *t, uint64_t index, bool movable)
{
	t->touched = true;
	return sysfs_write(t->ctx, movable ? "online_movable" : "online_kernel",
			   MEMORY "/memory%ju/state", (uintmax_t)index);
}

/* A block that was offline when last seen is not looked at again unless it must be. */
static int online_block(struct transition *t, const struct block *block, bool movable)
{
	uint64_t index = block->index;
	int rc = -EAGAIN;

	if (block->state == BLOCK_OFFLINE)
		rc = write_online(t, index, movable);
	if (!rc || is_online_in(t->ctx, index, movable))
		return 0;
	if (block_read(t->ctx, index) == BLOCK_ONLINE)
		rc = write_state(t, index, "offline", "taking a block back from the wrong zone");
	else if (rc != -EAGAIN)
		return rc;
	else
		rc = 0;
	if (!rc)
		rc = write_online(t, index, movable);
	return rc && is_online_in(t->ctx, index, movable) ? 0 : rc;
}

/* Puts the blocks that have been changed back to the state they had; how many that failed for. */
static size_t put_back(struct transition *t, const struct blocks *blocks, size_t nr, bool movable)
{
	size_t i, lost = 0;
	int rc;

	t->undoing = true;
	for (i = 0; i < nr; i++) {
		uint64_t index = blocks->v[i].index;
		struct block now = { index, block_read(t->ctx, index) };

		if (now.state == blocks->v[i].state)
			continue;
		if (blocks->v[i].state == BLOCK_ONLINE)
			rc = online_block(t, &now, movable);
		else
			rc = write_state(t, index, "offline", "putting memory blocks back");
		if (rc)
			lost++;
	}
	t->undoing = false;
	return lost;
}

static int online_failed(struct transition *t, int rc, uint64_t index, const char *zone,
			 const char *then)
{
	if (rc == -EINTR)
		return fail(t->ctx, EINTR, "%s: stopped%s", t->dev->name, then);
	return fail(t->ctx, -rc, "%s: memory%ju cannot go on line in zone %s (%s)%s",
		    t->dev->name, (uintmax_t)index, zone, online_reason(rc), then);
}

/*
 * The first block, and then the others from the last one down. After each block
 * the kernel walks its zone from the beginning until it finds a hole; in this
 * order there is one right after the first block until all are online. In order
 * of address it would walk all that is there every time, which made 16 GiB take
 * a third longer.
 */
static void leave_hole_to_the_end(struct blocks *blocks)
{
	size_t i, j;

	for (i = 1, j = blocks->nr; i + 1 < j; i++) {
		struct block block = blocks->v[i];

		blocks->v[i] = blocks->v[--j];
		blocks->v[j] = block;
	}
}

int blocks_online(struct transition *t, const char *zone)
{
	bool movable = strcmp(zone, "kernel"), partial = t->opt.flags & CXLMEM_PARTIAL;
	size_t i, changed = 0, online = 0;
	uint64_t culprit = 0;
	struct blocks blocks;
	int rc, err = 0;

	rc = blocks_read(t->dev, &blocks);
	if (rc)
		return rc;
	leave_hole_to_the_end(&blocks);
	t->done = 0;
	t->total = blocks.nr * blocks.size;
	for (i = 0; i < blocks.nr; i++, t->done += blocks.size) {
		uint64_t index = blocks.v[i].index;

		if (event_progress(t, "putting memory blocks on line", t->done, t->total)) {
			err = -EINTR;
			break;
		}
		if (blocks.v[i].state == BLOCK_ONLINE && is_online_in(t->ctx, index, movable)) {
			online++;
			continue;
		}
		rc = online_block(t, &blocks.v[i], movable);
		if (!rc) {
			online++;
			changed++;
			continue;
		}
		err = rc;
		culprit = index;
		event_block(t, index, online_reason(rc));
		if (!partial)
			break;
	}
	if (!blocks.nr)
		rc = fail(t->ctx, ENODEV, "%s: the kernel has made no memory blocks of it",
			  t->dev->name);
	else if (!err)
		rc = changed ? CXLMEM_DONE : CXLMEM_ALREADY;
	else if (partial && online && err != -EINTR) {
		online_failed(t, err, culprit, zone, "; the others are on line");
		rc = CXLMEM_PARTLY;
	} else if (put_back(t, &blocks, i, movable)) {
		online_failed(t, err, culprit, zone, ", and not all others could be put back");
		rc = CXLMEM_PARTLY;
	} else
		rc = online_failed(t, err, culprit, zone, "");
	free(blocks.v);
	return rc;
}

static int offline_failed(struct transition *t, int rc, uint64_t index, const char *then)
{
	const char *name = t->dev->name;

	if (rc == -EINTR)
		return fail(t->ctx, EINTR, "%s: stopped%s", name, then);
	if (rc == -ETIMEDOUT)
		return fail(t->ctx, ETIMEDOUT,
			    "%s: memory%ju did not come free in %u seconds%s", name,
			    (uintmax_t)index, t->opt.timeout, then);
	return fail(t->ctx, -rc, "%s: memory%ju cannot go off line%s", name,
		    (uintmax_t)index, then);
}

/*
 * The second block, then the others from the last one down, and the first in the end:
 * after each block the kernel walks its zone, as above, and so it finds a hole soon.
 */
static void make_hole_at_the_beginning(struct blocks *blocks)
{
	struct block first;

	if (blocks->nr < 3)
		return;
	first = blocks->v[0];
	blocks->nr--;
	memmove(blocks->v, blocks->v + 1, blocks->nr * sizeof(*blocks->v));
	leave_hole_to_the_end(blocks);
	blocks->v[blocks->nr++] = first;
}

int blocks_offline(struct transition *t)
{
	static const char doing[] = "moving data to other nodes";
	bool partial = t->opt.flags & CXLMEM_PARTIAL;
	size_t i, went = 0;
	uint64_t culprit = 0;
	struct blocks blocks;
	int rc, err = 0;

	rc = blocks_read(t->dev, &blocks);
	if (rc)
		return rc;
	make_hole_at_the_beginning(&blocks);
	t->done = 0;
	t->total = t->dev->online;
	for (i = 0; i < blocks.nr; i++) {
		if (blocks.v[i].state != BLOCK_ONLINE)
			continue;
		if (event_progress(t, doing, t->done, t->total)) {
			err = -EINTR;
			break;
		}
		rc = write_state(t, blocks.v[i].index, "offline", doing);
		if (!rc) {
			went++;
			t->done += blocks.size;
			continue;
		}
		err = rc;
		culprit = blocks.v[i].index;
		if (rc != -EINTR)
			event_block(t, culprit, NULL);
		if (!partial || rc == -EINTR)
			break;
	}
	if (!err)
		rc = went ? CXLMEM_DONE : CXLMEM_ALREADY;
	else if (partial && went) {
		offline_failed(t, err, culprit, "; the blocks that could go off line are off line");
		rc = CXLMEM_PARTLY;
	} else if (put_back(t, &blocks, i, strcmp(t->dev->zone, "kernel"))) {
		offline_failed(t, err, culprit, ", and not all others could be put back");
		rc = CXLMEM_PARTLY;
	} else
		rc = offline_failed(t, err, culprit, "");
	free(blocks.v);
	return rc;
}
