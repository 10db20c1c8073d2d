// SPDX-License-Identifier: LGPL-2.1
/* Memory blocks: the pieces that the kernel onlines and offlines one by one. */
#include "private.h"

#define MEMORY "sys/devices/system/memory"

/* 128 TiB of the smallest blocks: a device that claims more is not believed. */
#define MAX_BLOCKS (1u << 20)

/* No architecture has smaller ones; a nonsensical size would make more of them than can be read. */
#define MIN_BLOCK (1u << 24)

uint64_t block_size(struct cxlmem_ctx *ctx)
{
	char text[ATTR_LEN];
	uint64_t size;

	/* This attribute is hexadecimal without a prefix. */
	if (!ctx->block_size &&
	    sysfs_read(ctx, text, sizeof(text), MEMORY "/block_size_bytes") > 0 &&
	    !parse_u64(text, 16, &size) && size >= MIN_BLOCK && !(size & (size - 1)))
		ctx->block_size = size;
	return ctx->block_size;
}

enum block_state block_read(struct cxlmem_ctx *ctx, uint64_t index)
{
	char state[ATTR_LEN];

	if (sysfs_read(ctx, state, sizeof(state), MEMORY "/memory%ju/state", (uintmax_t)index) < 0)
		return BLOCK_ABSENT;
	/* "going-offline" is still in use. */
	return strcmp(state, "offline") ? BLOCK_ONLINE : BLOCK_OFFLINE;
}

bool block_is_movable(struct cxlmem_ctx *ctx, uint64_t index)
{
	char zones[ATTR_LEN];

	if (sysfs_read(ctx, zones, sizeof(zones), MEMORY "/memory%ju/valid_zones",
		       (uintmax_t)index) < 0)
		return false;
	return !strcmp(zones, "Movable");
}

int blocks_read(struct cxlmem_device *dev, struct blocks *blocks)
{
	const struct range *range = &dev->usable;
	uint64_t first, i, nr;

	memset(blocks, 0, sizeof(*blocks));
	blocks->size = block_size(dev->ctx);
	if (!blocks->size)
		return fail(dev->ctx, ENOSYS,
			    "this kernel cannot plug memory in at run time (CONFIG_MEMORY_HOTPLUG is off)");
	first = range->start / blocks->size;
	nr = range->size / blocks->size;
	if (nr > MAX_BLOCKS)
		return fail(dev->ctx, EPROTO, "%s claims to have %ju memory blocks", dev->name,
			    (uintmax_t)nr);
	blocks->v = calloc(nr + 1, sizeof(*blocks->v));
	if (!blocks->v)
		return fail(dev->ctx, ENOMEM, "not enough memory to list the memory blocks");
	for (i = 0; i < nr; i++) {
		struct block block = { first + i, block_read(dev->ctx, first + i) };

		if (block.state != BLOCK_ABSENT)
			blocks->v[blocks->nr++] = block;
	}
	return 0;
}
