// SPDX-License-Identifier: GPL-2.0
/*
 * Claims on host physical memory, and the orphans: memory that could not be
 * evacuated when its device went, and waits for the next probe to adopt it.
 */
#include <linux/cleanup.h>
#include <linux/idr.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

static DEFINE_IDA(ids);
static LIST_HEAD(orphans);
static DEFINE_MUTEX(orphans_lock);

static bool same_range(struct range a, struct range b)
{
	return a.start == b.start && a.end == b.end;
}

static struct cxlmem_memory *adopt_orphan(struct range range)
{
	struct cxlmem_memory *mem;

	guard(mutex)(&orphans_lock);
	list_for_each_entry(mem, &orphans, orphan) {
		if (same_range(mem->range, range)) {
			list_del_init(&mem->orphan);
			module_put(THIS_MODULE);
			return mem;
		}
	}
	return NULL;
}

/* The module stays as long as there is an orphan: it holds the guard. */
static void make_orphan(struct cxlmem_memory *mem)
{
	guard(mutex)(&orphans_lock);
	__module_get(THIS_MODULE);
	list_add(&mem->orphan, &orphans);
}

/* The whole memory blocks in @range that the kernel can map. */
static struct range whole_blocks(struct range range)
{
	struct range pluggable = mhp_get_pluggable_range(true);
	u64 block = memory_block_size_bytes();
	u64 start = ALIGN(max(range.start, pluggable.start), block);
	u64 end = ALIGN_DOWN(min(range.end, pluggable.end) + 1, block);

	if (end <= start)
		return (struct range) { .start = start, .end = start - 1 };
	return (struct range) { .start = start, .end = end - 1 };
}

static bool overlaps_system_ram(struct range range)
{
	return region_intersects(range.start, range_len(&range), IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

/* Silent, since cxlmem_memory_claim_free() tries many a range. */
static struct cxlmem_memory *claim(struct range range, enum cxlmem_source source)
{
	struct cxlmem_memory *mem __free(kfree) = kzalloc(sizeof(*mem), GFP_KERNEL);
	int id;

	if (!mem)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&ids, GFP_KERNEL);
	if (id < 0)
		return ERR_PTR(id);

	mem->id = id;
	snprintf(mem->name, sizeof(mem->name), "cxlmem%d", id);
	mem->res = request_mem_region(range.start, range_len(&range), mem->name);
	if (!mem->res) {
		ida_free(&ids, id);
		return ERR_PTR(-EBUSY);
	}

	mem->range = range;
	mem->source = source;
	mem->usable = whole_blocks(range);
	mem->mode = &cxlmem_mode_offline;
	mem->node = NUMA_NO_NODE;
	mem->zone = CXLMEM_ZONE_MOVABLE;
	mem->memmap_on_memory = mhp_supports_memmap_on_memory();
	INIT_LIST_HEAD(&mem->orphan);
	init_waitqueue_head(&mem->wait);
	mutex_init(&mem->walking);
	return no_free_ptr(mem);
}

/**
 * cxlmem_memory_claim() - claim a range of host physical memory
 * @parent: device to name in messages
 * @range: the range, of whole pages
 * @source: how it was found
 *
 * If the range was left online by an earlier driver since it could not be
 * evacuated, that memory is adopted, with the source it had.
 *
 * Return: the memory, to be given to cxlmem_register() or to
 * cxlmem_memory_release(), or an ERR_PTR(): -EINVAL for a range that is empty,
 * wraps or is not of whole pages, -EBUSY for one that is System RAM or
 * somebody else's. The reason is logged.
 */
struct cxlmem_memory *cxlmem_memory_claim(struct device *parent, struct range range,
					  enum cxlmem_source source)
{
	struct cxlmem_memory *mem;

	if (range.end <= range.start || !PAGE_ALIGNED(range.start) ||
	    !PAGE_ALIGNED(range.end + 1) || range.end + 1 == 0) {
		dev_err(parent, "[mem %#llx-%#llx] is not a range of whole pages\n",
			range.start, range.end);
		return ERR_PTR(-EINVAL);
	}

	mem = adopt_orphan(range);
	if (mem) {
		dev_info(parent, "adopting [mem %#llx-%#llx], still in mode %s\n",
			 range.start, range.end, mem->mode->name);
		return mem;
	}

	if (overlaps_system_ram(range)) {
		dev_err(parent, "[mem %#llx-%#llx] overlaps System RAM\n",
			range.start, range.end);
		return ERR_PTR(-EBUSY);
	}

	mem = claim(range, source);
	if (mem == ERR_PTR(-EBUSY))
		dev_err(parent, "[mem %#llx-%#llx] is held by another driver, see /proc/iomem\n",
			range.start, range.end);
	return mem;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_memory_claim, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_memory_claim_free() - claim memory that nobody has, in a window
 * @window: host physical range to look in
 * @size: bytes wanted
 * @align: alignment wanted, a power of two
 *
 * The caller is to make its device decode it (CXLMEM_SOURCE_DRIVER). What an
 * enclosing resource that is smaller than the window covers is taken for
 * somebody's, even if it is not marked busy (a CXL region, for example).
 *
 * Return: the memory as cxlmem_memory_claim() does, or an ERR_PTR(): -ENOSPC
 * if there is no such room.
 */
struct cxlmem_memory *cxlmem_memory_claim_free(struct range window, u64 size, u64 align)
{
	struct range range = { .start = ALIGN(window.start, align) };
	struct cxlmem_memory *mem;

	for (; range.start <= window.end && window.end - range.start >= size - 1;
	     range.start += align) {
		range.end = range.start + size - 1;
		if (overlaps_system_ram(range))
			continue;
		mem = claim(range, CXLMEM_SOURCE_DRIVER);
		if (mem == ERR_PTR(-EBUSY))
			continue;
		if (IS_ERR(mem))
			return mem;
		if (mem->res->parent->start <= window.start &&
		    mem->res->parent->end >= window.end)
			return mem;
		cxlmem_memory_release(mem);
	}
	return ERR_PTR(-ENOSPC);
}
EXPORT_SYMBOL_NS_GPL(cxlmem_memory_claim_free, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_memory_release() - give claimed memory back
 * @mem: memory that no cxlmem device has
 *
 * Memory that is still in use becomes an orphan.
 *
 * Return: 0, or -EBUSY if the memory is still in use: the hardware must go on
 * decoding it.
 */
int cxlmem_memory_release(struct cxlmem_memory *mem)
{
	if (mem->mode != &cxlmem_mode_offline) {
		make_orphan(mem);
		return -EBUSY;
	}
	release_mem_region(mem->range.start, range_len(&mem->range));
	ida_free(&ids, mem->id);
	kfree(mem);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_memory_release, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_memory_range() - where claimed memory is
 * @mem: the memory
 *
 * Return: its host physical range.
 */
struct range cxlmem_memory_range(const struct cxlmem_memory *mem)
{
	return mem->range;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_memory_range, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_memory_source() - how claimed memory was found
 * @mem: the memory
 *
 * Return: what it was claimed with first, also if it has been adopted since.
 */
enum cxlmem_source cxlmem_memory_source(const struct cxlmem_memory *mem)
{
	return mem->source;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_memory_source, CXLMEM_NS(CXLMEM));
