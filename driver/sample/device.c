// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem_sample: a driver to copy from, for an accelerator with coherent memory (the
 * model in tests/type2). What is specific to it is registers and rings; the rest is
 * what any such driver has to do on cxlmem:
 *
 *	device.c	a function comes and goes; what cxlmem asks of its driver
 *	copy.c		the engine copies pages for cxlmem
 *	mirror.c	processes' addresses for the engine: its page tables, kept true by
 *			MMU notifiers; its page faults; moving to it what it often uses
 *	jobs.c		/dev/t2sampleN: programs give it work
 *
 * Locks, in the order in which they are taken: copy_lock, tables_lock; jobs_lock,
 * gate.lock. Page tables and invalidations depend on no lock but tables_lock, since
 * all that frees memory waits for them.
 */
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>

#include "sample.h"

static uint hot_threshold = 64;
module_param(hot_threshold, uint, 0444);
MODULE_PARM_DESC(hot_threshold, "accesses to 64 KiB of host memory after which the engine asks for it (0: never)");

#define QUIESCE_TIMEOUT	(10 * HZ)

static DEFINE_IDA(numbers);

static void free_device(struct kref *ref)
{
	struct t2_device *dev = container_of(ref, struct t2_device, ref);

	free_page((unsigned long)dev->pasids);
	free_page((unsigned long)dev->to);
	free_page((unsigned long)dev->from);
	xa_destroy(&dev->contexts);
	if (dev->number >= 0)
		ida_free(&numbers, dev->number);
	kfree(dev->misc.name);
	kfree(dev);
}

void t2_device_put(struct t2_device *dev)
{
	kref_put(&dev->ref, free_device);
}

static bool wait_until_idle(struct t2_device *dev)
{
	u32 status;

	return !readl_poll_timeout(dev->regs + T2_STATUS, status,
				   status != ~0u && status & T2_STATUS_IDLE, 50, ANSWER_US);
}

/*
 * Has the engine touch no memory any more, whatever it takes; tables_lock is held.
 * What it remembers of page tables is forgotten, too.
 */
void t2_stop(struct t2_device *dev)
{
	lockdep_assert_held(&dev->tables_lock);
	if (dev->stopped)
		return;
	t2_close_gate(dev, -EIO);
	t2_write(dev, T2_CTRL, T2_CTRL_RESET);
	if (t2_read(dev, T2_ID) != T2_ID_VALUE) {
		dev_err(&dev->pdev->dev, "the device is gone\n");
	} else if (!wait_until_idle(dev)) {
		dev_err(&dev->pdev->dev, "the engine does not stop, the function is reset\n");
		pcie_flr(dev->pdev);
		pci_restore_state(dev->pdev);
	}
	dev->stopped = true;
	schedule_work(&dev->fail_work);
}

static void fail_work(struct work_struct *work)
{
	t2_fail_jobs(container_of(work, struct t2_device, fail_work));
}

static void hot_work(struct work_struct *work)
{
	t2_serve_hot(container_of(work, struct t2_device, hot_work));
}

/*
 * A mode is about to be left: locked pages could not be moved, so they go first, and no
 * new ones come. Then the engine pauses. Its jobs go on at resume, by addresses of
 * processes, which lead to wherever the pages are by then.
 */
static int sample_quiesce(void *drvdata)
{
	struct t2_device *dev = drvdata;

	spin_lock(&dev->gate.lock);
	dev->quiesced = true;
	spin_unlock(&dev->gate.lock);
	if (!wait_event_timeout(dev->gate, !READ_ONCE(dev->locked), QUIESCE_TIMEOUT)) {
		spin_lock(&dev->gate.lock);
		dev->quiesced = false;
		wake_up_all_locked(&dev->gate);
		spin_unlock(&dev->gate.lock);
		return -EBUSY;
	}

	guard(mutex)(&dev->copy_lock);
	guard(mutex)(&dev->tables_lock);
	dev->paused = true;
	if (dev->stopped)
		return 0;
	t2_write(dev, T2_CTRL, 0);
	if (!wait_until_idle(dev))
		t2_stop(dev);
	return 0;
}

static void sample_unpause(void *drvdata)
{
	struct t2_device *dev = drvdata;

	scoped_guard(mutex, &dev->copy_lock) {
		guard(mutex)(&dev->tables_lock);
		dev->paused = false;
		if (!dev->stopped)
			t2_write(dev, T2_CTRL, T2_CTRL_ENABLE);
	}
	spin_lock(&dev->gate.lock);
	dev->quiesced = false;
	wake_up_all_locked(&dev->gate);
	spin_unlock(&dev->gate.lock);
}

static const struct cxlmem_ops sample_ops = {
	.quiesce = sample_quiesce,
	.resume = sample_unpause,
	.copy = t2_copy,
};

static irqreturn_t error_interrupt(int irq, void *data)
{
	struct t2_device *dev = data;
	u32 error = t2_read(dev, T2_ERROR);

	t2_write(dev, T2_ERROR, error);
	dev_err(&dev->pdev->dev, "the engine reports errors %#x, the last at %#llx\n", error,
		readq(dev->regs + T2_ERROR_ADDR));
	return IRQ_HANDLED;
}

static irqreturn_t fault_interrupt(int irq, void *data)
{
	t2_serve_faults(data);
	return IRQ_HANDLED;
}

static irqreturn_t hot_interrupt(int irq, void *data)
{
	struct t2_device *dev = data;

	schedule_work(&dev->hot_work);
	return IRQ_HANDLED;
}

static irqreturn_t virtual_interrupt(int irq, void *data)
{
	t2_take_completions(data, QUEUE_VIRTUAL);
	return IRQ_HANDLED;
}

static irqreturn_t locked_interrupt(int irq, void *data)
{
	t2_take_completions(data, QUEUE_LOCKED);
	return IRQ_HANDLED;
}

/* All in threads: they sleep. */
static const struct { unsigned int vector; irq_handler_t handler; } interrupts[] = {
	{ T2_VECTOR_ERROR, error_interrupt },
	{ T2_VECTOR_FAULT, fault_interrupt },
	{ T2_VECTOR_HOT, hot_interrupt },
	{ T2_VECTOR_QUEUE(QUEUE_VIRTUAL), virtual_interrupt },
	{ T2_VECTOR_QUEUE(QUEUE_LOCKED), locked_interrupt },
};

static void free_interrupts(struct t2_device *dev, unsigned int n)
{
	while (n--)
		free_irq(pci_irq_vector(dev->pdev, interrupts[n].vector), dev);
}

static int request_interrupts(struct t2_device *dev)
{
	unsigned int i;
	int rc;

	rc = pci_alloc_irq_vectors(dev->pdev, T2_VECTORS, T2_VECTORS, PCI_IRQ_MSIX);
	if (rc < 0)
		return rc;
	for (i = 0; i < ARRAY_SIZE(interrupts); i++) {
		rc = request_threaded_irq(pci_irq_vector(dev->pdev, interrupts[i].vector), NULL,
					  interrupts[i].handler, IRQF_ONESHOT, "t2sample", dev);
		if (rc) {
			free_interrupts(dev, i);
			return rc;
		}
	}
	return 0;
}

/* In host memory, as the engine wants it; gone when the function is unbound. */
static void *alloc_ring(struct t2_device *dev, u32 reg, size_t size)
{
	dma_addr_t at = 0;
	void *ring = dmam_alloc_coherent(&dev->pdev->dev, size, &at, GFP_KERNEL);

	if (ring)
		t2_write64(dev, reg, at);
	return ring;
}

static int start_engine(struct t2_device *dev)
{
	unsigned int i;

	t2_write(dev, T2_CTRL, T2_CTRL_RESET);
	for (i = 0; i < NR_QUEUES; i++) {
		struct t2_queue *q = &dev->queues[i];

		q->free = ENTRIES;
		q->ring = alloc_ring(dev, T2_QUEUE(i) + T2_QUEUE_RING, ENTRIES * sizeof(*q->ring));
		q->done = alloc_ring(dev, T2_QUEUE(i) + T2_QUEUE_DONE_RING,
				     ENTRIES * sizeof(*q->done));
		if (!q->ring || !q->done)
			return -ENOMEM;
		t2_write(dev, T2_QUEUE(i) + T2_QUEUE_SIZE, ENTRIES);
	}
	dev->faults = alloc_ring(dev, T2_FAULT_RING, ENTRIES * sizeof(*dev->faults));
	dev->hot = alloc_ring(dev, T2_HOT_RING, ENTRIES * sizeof(*dev->hot));
	if (!dev->faults || !dev->hot)
		return -ENOMEM;
	t2_write(dev, T2_FAULT_SIZE, ENTRIES);
	t2_write(dev, T2_HOT_SIZE, ENTRIES);
	t2_write(dev, T2_HOT_SHIFT, HOT_SHIFT);
	t2_write(dev, T2_HOT_THRESHOLD, hot_threshold);
	t2_write64(dev, T2_PASID_TABLE, virt_to_phys(dev->pasids));
	t2_write(dev, T2_PASIDS, PAGE_SIZE / sizeof(*dev->pasids));
	t2_write(dev, T2_CTRL, T2_CTRL_ENABLE);
	for (i = 0; i < NR_QUEUES; i++)
		t2_write(dev, T2_QUEUE(i) + T2_QUEUE_CTRL, T2_QUEUE_ENABLE);
	return 0;
}

static int register_memory(struct t2_device *dev)
{
	struct cxlmem_desc desc = {
		.node = NUMA_NO_NODE,
		.serial = pci_get_dsn(dev->pdev),
		.ops = &sample_ops,
		.drvdata = dev,
	};

	desc.memory = cxlmem_hdm_claim(dev->pdev, &dev->hdm);
	if (IS_ERR(desc.memory))
		return PTR_ERR(desc.memory);
	dev->cdev = cxlmem_register(&dev->pdev->dev, &desc);
	if (!IS_ERR(dev->cdev))
		return 0;
	if (!cxlmem_memory_release(desc.memory))
		cxlmem_hdm_uncommit(&dev->hdm);
	return PTR_ERR(dev->cdev);
}

/* What is lost of its data is nothing: if some cannot be moved, it goes on being decoded. */
static void unregister_memory(struct t2_device *dev)
{
	if (!cxlmem_unregister(dev->cdev))
		cxlmem_hdm_uncommit(&dev->hdm);
}

static struct t2_device *alloc_device(struct pci_dev *pdev)
{
	struct t2_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	dev->pdev = pdev;
	init_waitqueue_head(&dev->gate);
	mutex_init(&dev->jobs_lock);
	mutex_init(&dev->copy_lock);
	mutex_init(&dev->tables_lock);
	xa_init_flags(&dev->contexts, XA_FLAGS_ALLOC1);
	INIT_WORK(&dev->hot_work, hot_work);
	INIT_WORK(&dev->fail_work, fail_work);
	dev->number = ida_alloc(&numbers, GFP_KERNEL);
	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.name = kasprintf(GFP_KERNEL, "t2sample%d", dev->number);
	dev->misc.fops = &t2_fops;
	dev->misc.parent = &pdev->dev;
	dev->misc.mode = 0666;	/* nobody gets at more than his own memory */
	dev->pasids = (__le64 *)get_zeroed_page(GFP_KERNEL);
	dev->to = (struct t2_segment *)get_zeroed_page(GFP_KERNEL);
	dev->from = (struct t2_segment *)get_zeroed_page(GFP_KERNEL);
	if (dev->number < 0 || !dev->misc.name || !dev->pasids || !dev->to || !dev->from) {
		t2_device_put(dev);
		return NULL;
	}
	return dev;
}

static int map_function(struct t2_device *dev)
{
	struct pci_dev *pdev = dev->pdev;
	int rc;

	/* Page tables of processes have physical addresses in them. */
	if (device_iommu_mapped(&pdev->dev))
		return dev_err_probe(&pdev->dev, -EOPNOTSUPP, "this driver knows no IOMMU\n");
	rc = pcim_enable_device(pdev);
	if (rc)
		return rc;
	rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (rc)
		return rc;
	dev->regs = pcim_iomap(pdev, T2_BAR_REGS, 0);
	if (!dev->regs)
		return -ENOMEM;
	if (t2_read(dev, T2_ID) != T2_ID_VALUE || t2_read(dev, T2_VERSION) != 1)
		return dev_err_probe(&pdev->dev, -ENODEV, "not an engine that is known here\n");
	pci_set_master(pdev);
	return 0;
}

/* Back to what it was before: nothing of the device's is used by anybody. */
static void shut_down(struct t2_device *dev)
{
	t2_close_gate(dev, -ENODEV);
	t2_abort_jobs(dev);
	scoped_guard(mutex, &dev->tables_lock)
		t2_stop(dev);
	free_interrupts(dev, ARRAY_SIZE(interrupts));
	cancel_work_sync(&dev->hot_work);
	cancel_work_sync(&dev->fail_work);
	t2_fail_jobs(dev);
}

static int bring_up(struct t2_device *dev)
{
	int rc;

	rc = map_function(dev);
	if (rc)
		return rc;
	rc = request_interrupts(dev);
	if (rc)
		return rc;
	rc = start_engine(dev);
	if (!rc)
		rc = register_memory(dev);
	if (rc)
		goto shut_down;
	pci_save_state(dev->pdev);
	rc = misc_register(&dev->misc);
	if (rc)
		goto unregister_memory;
	return 0;

unregister_memory:
	unregister_memory(dev);
shut_down:
	shut_down(dev);
	return rc;
}

static int sample_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct t2_device *dev = alloc_device(pdev);
	int rc;

	if (!dev)
		return -ENOMEM;
	rc = bring_up(dev);
	if (rc) {
		t2_device_put(dev);
		return rc;
	}
	pci_set_drvdata(pdev, dev);
	return 0;
}

/*
 * Jobs end first, and say how far they came. The processes' data on the device are
 * moved to the host then. Files that are open stay so, with nothing behind them.
 */
static void sample_remove(struct pci_dev *pdev)
{
	struct t2_device *dev = pci_get_drvdata(pdev);

	misc_deregister(&dev->misc);
	shut_down(dev);
	unregister_memory(dev);
	pci_clear_master(pdev);
	t2_device_put(dev);
}

/*
 * An engine that is reset has forgotten its jobs, which end before: they may have memory
 * locked. It is brought up again by a new probe.
 */
static pci_ers_result_t sample_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct t2_device *dev = pci_get_drvdata(pdev);
	pci_ers_result_t result;

	if (state != pci_channel_io_normal) {
		guard(mutex)(&dev->tables_lock);
		t2_stop(dev);
	}
	result = cxlmem_hdm_error_detected(&dev->hdm, dev->cdev, state);
	if (result != PCI_ERS_RESULT_CAN_RECOVER) {
		guard(mutex)(&dev->tables_lock);
		t2_stop(dev);
	}
	return result;
}

static pci_ers_result_t sample_slot_reset(struct pci_dev *pdev)
{
	struct t2_device *dev = pci_get_drvdata(pdev);

	return cxlmem_hdm_slot_reset(&dev->hdm);
}

static void sample_resume(struct pci_dev *pdev)
{
	struct t2_device *dev = pci_get_drvdata(pdev);

	cxlmem_device_recovered(dev->cdev);
}

static const struct pci_error_handlers sample_error_handlers = {
	.error_detected = sample_error_detected,
	.slot_reset = sample_slot_reset,
	.resume = sample_resume,
};

static const struct pci_device_id sample_ids[] = {
	{ PCI_DEVICE(T2_PCI_VENDOR, T2_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, sample_ids);

static struct pci_driver sample_driver = {
	.name = "cxlmem_sample",
	.id_table = sample_ids,
	.probe = sample_probe,
	.remove = sample_remove,
	.err_handler = &sample_error_handlers,
};
module_pci_driver(sample_driver);

MODULE_DESCRIPTION("A sample driver for an accelerator with coherent memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(CXLMEM_NS(CXLMEM));
