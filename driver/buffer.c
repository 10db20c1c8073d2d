// SPDX-License-Identifier: GPL-2.0
/*
 * Claims of mode "cma" as dma-bufs. A dma-buf has its extent of the device until
 * its last reference goes, even if the device goes before: then it is revoked, which
 * means that it gives nobody access any more, but its memory stays where it is.
 *
 * The pages are ordinary memory that the kernel has mapped and that is contiguous, so
 * there is not much to do here. They are mapped to processes by number and not as
 * pages, so nobody can keep one by holding a reference to it.
 */
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

/* A scatterlist's entries have an unsigned int for their length. */
#define SEGMENT		SZ_1G

/**
 * struct buffer - a claim
 * @extent: where it is
 * @dmabuf: what users have
 * @name: the device's, which whoever looks for a file descriptor's owner sees
 * @driver: the module of the device's driver, which must not go by itself
 * @lock: guards the rest; taken inside of an mmap_lock
 * @attachments: devices that have it, as struct attachment
 * @revoked: the device has gone
 */
struct buffer {
	struct cxlmem_extent extent;
	struct dma_buf *dmabuf;
	char name[20];
	struct module *driver;
	struct mutex lock;	/* guards the rest */
	struct list_head attachments;
	bool revoked;
};

/**
 * struct attachment - a device that has attached to a claim
 * @list: in &buffer.attachments
 * @dev: the device
 * @table: the claim, in pieces that the device has been given addresses for
 * @direction: of the device's accesses, DMA_NONE if it has no addresses
 */
struct attachment {
	struct list_head list;
	struct device *dev;
	struct sg_table table;
	enum dma_data_direction direction;
};

static u64 size_of(const struct buffer *buffer)
{
	return buffer->extent.blocks * (u64)CXLMEM_BLOCK;
}

static int make_table(const struct buffer *buffer, struct sg_table *table)
{
	unsigned long first = page_to_pfn(cxlmem_extent_page(&buffer->extent));
	u64 left = size_of(buffer), at = 0;
	struct scatterlist *sg;
	unsigned int i;
	int rc;

	rc = sg_alloc_table(table, DIV_ROUND_UP_ULL(left, SEGMENT), GFP_KERNEL);
	if (rc)
		return rc;
	for_each_sgtable_sg(table, sg, i) {
		unsigned int length = min_t(u64, left, SEGMENT);

		sg_set_page(sg, pfn_to_page(first + PHYS_PFN(at)), length, 0);
		at += length;
		left -= length;
	}
	return 0;
}

static int buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *to)
{
	struct attachment *attachment __free(kfree) = kzalloc(sizeof(*attachment), GFP_KERNEL);
	struct buffer *buffer = dmabuf->priv;
	int rc;

	if (!attachment)
		return -ENOMEM;
	attachment->dev = to->dev;
	attachment->direction = DMA_NONE;
	rc = make_table(buffer, &attachment->table);
	if (rc)
		return rc;
	scoped_guard(mutex, &buffer->lock) {
		if (!buffer->revoked) {
			to->priv = attachment;
			list_add(&no_free_ptr(attachment)->list, &buffer->attachments);
			return 0;
		}
	}
	sg_free_table(&attachment->table);
	return -ENODEV;
}

static void buffer_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *from)
{
	struct attachment *attachment = from->priv;
	struct buffer *buffer = dmabuf->priv;

	scoped_guard(mutex, &buffer->lock)
		list_del(&attachment->list);
	sg_free_table(&attachment->table);
	kfree(attachment);
}

static struct sg_table *buffer_map(struct dma_buf_attachment *to, enum dma_data_direction direction)
{
	struct attachment *attachment = to->priv;
	struct buffer *buffer = to->dmabuf->priv;
	int rc;

	guard(mutex)(&buffer->lock);
	if (buffer->revoked)
		return ERR_PTR(-ENODEV);
	rc = dma_map_sgtable(attachment->dev, &attachment->table, direction, 0);
	if (rc)
		return ERR_PTR(rc);
	attachment->direction = direction;
	return &attachment->table;
}

static void buffer_unmap(struct dma_buf_attachment *from, struct sg_table *table,
			 enum dma_data_direction direction)
{
	struct attachment *attachment = from->priv;
	struct buffer *buffer = from->dmabuf->priv;

	guard(mutex)(&buffer->lock);
	attachment->direction = DMA_NONE;
	dma_unmap_sgtable(attachment->dev, table, direction, 0);
}

/* Matters to devices that do not see the CPU's caches, or have bounce buffers. */
static int sync_all(struct buffer *buffer, enum dma_data_direction direction,
		    void (*sync)(struct device *, struct sg_table *, enum dma_data_direction))
{
	struct attachment *attachment;

	guard(mutex)(&buffer->lock);
	if (buffer->revoked)
		return -ENODEV;
	list_for_each_entry(attachment, &buffer->attachments, list)
		if (attachment->direction != DMA_NONE)
			sync(attachment->dev, &attachment->table, direction);
	return 0;
}

static int buffer_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	return sync_all(dmabuf->priv, direction, dma_sync_sgtable_for_cpu);
}

static int buffer_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	return sync_all(dmabuf->priv, direction, dma_sync_sgtable_for_device);
}

/* The pages around the one that was touched come with it, up to a block. */
static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct buffer *buffer = vma->vm_private_data;
	unsigned long first = page_to_pfn(cxlmem_extent_page(&buffer->extent)) + vma->vm_pgoff;
	unsigned long address = max(ALIGN_DOWN(vmf->address, CXLMEM_BLOCK), vma->vm_start);
	unsigned long end = min(ALIGN_DOWN(vmf->address, CXLMEM_BLOCK) + CXLMEM_BLOCK, vma->vm_end);
	vm_fault_t rc = VM_FAULT_NOPAGE;

	guard(mutex)(&buffer->lock);
	if (buffer->revoked)
		return VM_FAULT_SIGBUS;
	for (; address < end && rc == VM_FAULT_NOPAGE; address += PAGE_SIZE)
		rc = vmf_insert_pfn(vma, address, first + PHYS_PFN(address - vma->vm_start));
	return rc;
}

static const struct vm_operations_struct buffer_vm_ops = {
	.fault = buffer_fault,
};

static int buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = dmabuf->priv;
	vma->vm_ops = &buffer_vm_ops;
	return 0;
}

static int buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *to)
{
	struct buffer *buffer = dmabuf->priv;

	guard(mutex)(&buffer->lock);
	if (buffer->revoked)
		return -ENODEV;
	iosys_map_set_vaddr(to, page_address(cxlmem_extent_page(&buffer->extent)));
	return 0;
}

static void buffer_release(struct dma_buf *dmabuf)
{
	struct buffer *buffer = dmabuf->priv;

	cxlmem_extent_release(&buffer->extent);
	module_put(buffer->driver);
	mutex_destroy(&buffer->lock);
	kfree(buffer);
}

static const struct dma_buf_ops buffer_ops = {
	.attach = buffer_attach,
	.detach = buffer_detach,
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.begin_cpu_access = buffer_begin_cpu_access,
	.end_cpu_access = buffer_end_cpu_access,
	.mmap = buffer_mmap,
	.vmap = buffer_vmap,
	.release = buffer_release,
};

/* Called with &cxlmem_cma.lock held, so the last reference is not completely gone. */
void cxlmem_buffer_revoke(struct cxlmem_extent *extent)
{
	struct buffer *buffer = container_of(extent, struct buffer, extent);
	struct file *file;

	scoped_guard(mutex, &buffer->lock)
		buffer->revoked = true;
	/* Who has the last reference has no mapping. */
	file = get_file_active(&buffer->dmabuf->file);
	if (!file)
		return;
	unmap_mapping_range(file->f_mapping, 0, 0, 1);
	fput(file);
}

static int is_file(const void *file, struct file *other, unsigned int fd)
{
	return file == other;
}

/*
 * A thread that has a claim open now, which need not be one of those that made it, with
 * a reference. NULL if none has: then it is mapped, or a device or a message has it.
 * Called with &cxlmem_cma.lock held, so that the dma-buf is there.
 */
struct task_struct *cxlmem_buffer_holder(const struct cxlmem_extent *extent)
{
	const struct buffer *buffer = container_of(extent, struct buffer, extent);
	struct task_struct *process, *thread;
	bool has;

	guard(rcu)();
	for_each_process_thread(process, thread) {
		task_lock(thread);
		has = thread->files &&
		      iterate_fd(thread->files, 0, is_file, buffer->dmabuf->file);
		task_unlock(thread);
		if (has)
			return get_task_struct(thread);
	}
	return NULL;
}

static int zero_block(struct cxlmem_job *job, u64 pfn, struct cxlmem_batch *batch)
{
	unsigned long i;

	for (i = 0; i < CXLMEM_BLOCK_PAGES; i++)
		clear_highpage(pfn_to_page(pfn + i));
	return 0;
}

static int zero(const struct buffer *buffer)
{
	unsigned long first = page_to_pfn(cxlmem_extent_page(&buffer->extent));
	struct cxlmem_job job = {
		.step = zero_block,
		.next = ATOMIC64_INIT(first),
		.end = first + PHYS_PFN(size_of(buffer)),
		.stride = CXLMEM_BLOCK_PAGES,
		.interruptible = true,
	};

	return cxlmem_work(&job);
}

static int export(struct buffer *buffer)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = buffer->name;
	info.ops = &buffer_ops;
	info.size = size_of(buffer);
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = buffer;
	buffer->dmabuf = dma_buf_export(&info);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

/* The driver of the device, as long as there is one. */
static int get_driver_module(struct cxlmem_device *cdev, struct module **module)
{
	const struct device_driver *driver;

	guard(rwsem_read)(&cdev->use);
	if (cdev->removed)
		return -ENODEV;
	driver = cdev->dev.parent ? cdev->dev.parent->driver : NULL;
	/* It stays bound while the device is not removed. */
	*module = driver ? driver->owner : NULL;
	return try_module_get(*module) ? 0 : -ENODEV;
}

static struct dma_buf *make_buffer(struct cxlmem_device *cdev, struct cxlmem_buffer *wanted,
				   struct buffer *buffer)
{
	int rc;

	rc = cxlmem_extent_claim(cdev, &buffer->extent, wanted->align, wanted->flags);
	wanted->obstacle = buffer->extent.obstacle;
	if (rc)
		return ERR_PTR(rc);
	wanted->length = size_of(buffer);
	wanted->offset = buffer->extent.offset;
	wanted->moved = buffer->extent.moved;
	rc = zero(buffer);
	if (!rc)
		rc = export(buffer);
	if (rc) {
		cxlmem_extent_release(&buffer->extent);
		return ERR_PTR(rc);
	}
	cxlmem_extent_settle(&buffer->extent, file_inode(buffer->dmabuf->file)->i_ino);
	return buffer->dmabuf;
}

/**
 * cxlmem_claim() - claim a contiguous piece of a device
 * @cdev: the device, in mode "cma"
 * @buffer: what is wanted, and what there is
 *
 * @buffer->size and @buffer->fd are not looked at. What is claimed counts for the
 * calling task's user, who is refused more than the quota unless the task has
 * CAP_SYS_RESOURCE, as kernel threads have. A signal to the caller ends it early.
 *
 * Return: a dma-buf with a reference for the caller, or an ERR_PTR() as for
 * CXLMEM_IOC_CLAIM.
 */
struct dma_buf *cxlmem_claim(struct cxlmem_device *cdev, struct cxlmem_buffer *buffer)
{
	const u32 known = CXLMEM_CLAIM_TRY | CXLMEM_CLAIM_WAIT;
	struct dma_buf *dmabuf;
	struct buffer *claim;
	int rc;

	buffer->obstacle = U64_MAX;
	buffer->moved = 0;
	if (!buffer->length || buffer->length > U64_MAX - CXLMEM_BLOCK ||
	    (buffer->align && !is_power_of_2(buffer->align)) ||
	    buffer->flags & ~known || buffer->flags == known)
		return ERR_PTR(-EINVAL);

	claim = kzalloc(sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return ERR_PTR(-ENOMEM);
	mutex_init(&claim->lock);
	INIT_LIST_HEAD(&claim->attachments);
	strscpy(claim->name, dev_name(&cdev->dev), sizeof(claim->name));
	claim->extent.blocks = DIV_ROUND_UP_ULL(buffer->length, CXLMEM_BLOCK);
	rc = get_driver_module(cdev, &claim->driver);
	dmabuf = rc ? ERR_PTR(rc) : make_buffer(cdev, buffer, claim);
	trace_cxlmem_claim(dev_name(&cdev->dev), buffer, PTR_ERR_OR_ZERO(dmabuf));
	if (IS_ERR(dmabuf)) {
		if (!rc)
			module_put(claim->driver);
		mutex_destroy(&claim->lock);
		kfree(claim);
	}
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_claim, CXLMEM_NS(CXLMEM));

MODULE_IMPORT_NS(CXLMEM_NS(DMA_BUF));
