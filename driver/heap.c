// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem_heap: devices in mode "cma" as dma-heaps, /dev/dma_heap/cxlmemN, for programs
 * that know those and nothing of cxlmem.
 *
 * The kernel has no way to remove a dma-heap. That is why this is a module of its own:
 * once it has made a heap it stays until the machine goes down, and cxlmem_core can
 * still be unloaded. A heap whose device has gone gives ENODEV, and belongs to the next
 * device of that name.
 */
#include <linux/cleanup.h>
#include <linux/cxlmem.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "heap.h"

/**
 * struct heap - a dma-heap; never freed
 * @list: in the list of all of them
 * @name: the device's
 * @lock: held for reading while the device is asked for memory; guards the rest
 * @claim: asks the device, NULL if there is none
 * @cdev: the device
 */
struct heap {
	struct list_head list;
	char name[20];
	struct rw_semaphore lock;
	struct dma_buf *(*claim)(struct cxlmem_device *cdev, struct cxlmem_buffer *buffer);
	struct cxlmem_device *cdev;
};

static LIST_HEAD(heaps);
static DEFINE_MUTEX(heaps_lock);

#ifdef CXLMEM_HAS_DMA_HEAPS

static struct dma_buf *allocate(struct dma_heap *dma_heap, unsigned long length, u32 fd_flags,
				u64 heap_flags)
{
	struct heap *heap = dma_heap_get_drvdata(dma_heap);
	struct cxlmem_buffer buffer = { .length = length };

	guard(rwsem_read)(&heap->lock);
	return heap->claim ? heap->claim(heap->cdev, &buffer) : ERR_PTR(-ENODEV);
}

static const struct dma_heap_ops heap_ops = {
	.allocate = allocate,
};

static int add_to_kernel(struct heap *heap)
{
	const struct dma_heap_export_info info = {
		.name = heap->name,
		.ops = &heap_ops,
		.priv = heap,
	};
	struct dma_heap *dma_heap = dma_heap_add(&info);

	if (IS_ERR(dma_heap))
		return PTR_ERR(dma_heap);
	__module_get(THIS_MODULE);
	return 0;
}

MODULE_IMPORT_NS(CXLMEM_NS(DMA_BUF_HEAP));

#else

static int add_to_kernel(struct heap *heap)
{
	return -EOPNOTSUPP;
}

#endif

static struct heap *find_heap(const char *name)
{
	struct heap *heap;

	lockdep_assert_held(&heaps_lock);
	list_for_each_entry(heap, &heaps, list)
		if (!strcmp(heap->name, name))
			return heap;
	return NULL;
}

static struct heap *make_heap(const char *name)
{
	struct heap *heap __free(kfree) = kzalloc(sizeof(*heap), GFP_KERNEL);
	int rc;

	lockdep_assert_held(&heaps_lock);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	strscpy(heap->name, name, sizeof(heap->name));
	init_rwsem(&heap->lock);
	rc = add_to_kernel(heap);
	if (rc)
		return ERR_PTR(rc);
	list_add(&heap->list, &heaps);
	return no_free_ptr(heap);
}

/* Makes a device's memory a dma-heap of that name, until it is withdrawn. */
int cxlmem_heap_offer(const char *name, struct cxlmem_device *cdev,
		      struct dma_buf *(*claim)(struct cxlmem_device *cdev,
					       struct cxlmem_buffer *buffer))
{
	struct heap *heap;

	guard(mutex)(&heaps_lock);
	heap = find_heap(name) ?: make_heap(name);
	if (IS_ERR(heap))
		return PTR_ERR(heap);
	guard(rwsem_write)(&heap->lock);
	heap->cdev = cdev;
	heap->claim = claim;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_heap_offer, CXLMEM_NS(CXLMEM));

/* The device is not asked any more afterwards. Nothing happens if it was not offered. */
void cxlmem_heap_withdraw(const char *name)
{
	struct heap *heap;

	guard(mutex)(&heaps_lock);
	heap = find_heap(name);
	if (!heap)
		return;
	guard(rwsem_write)(&heap->lock);
	heap->claim = NULL;
	heap->cdev = NULL;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_heap_withdraw, CXLMEM_NS(CXLMEM));

MODULE_DESCRIPTION("dma-heaps for cxlmem");
MODULE_LICENSE("GPL");
