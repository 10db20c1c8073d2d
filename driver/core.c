// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem_core: the device class, and the functions by which drivers register
 * their devices' memory.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/slab.h>

#include "heap.h"
#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void release_device(struct device *dev)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);

	mutex_destroy(&cdev->lock);
	mutex_destroy(&cdev->error_lock);
	kfree(cdev);
}

/* For root and a group; which group is for a udev rule to say. */
static char *devnode(const struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0660;
	return NULL;
}

static const struct class cxlmem_class = {
	.name = "cxlmem",
	.dev_groups = cxlmem_groups,
	.devnode = devnode,
	.dev_release = release_device,
};

/* Adopted memory keeps the settings it is online with. */
static int init_settings(struct device *parent, struct cxlmem_memory *mem, int node)
{
	if (mem->mode != &cxlmem_mode_offline)
		return 0;
	if (node != NUMA_NO_NODE && (node < 0 || node >= MAX_NUMNODES || !node_possible(node)))
		return dev_err_probe(parent, -ERANGE, "node %d cannot exist; the possible nodes are %*pbl\n",
				     node, nodemask_pr_args(&node_states[N_POSSIBLE]));
	mem->node = node != NUMA_NO_NODE ? node : phys_to_target_node(mem->range.start);
	return 0;
}

/**
 * cxlmem_register() - bring claimed memory under cxlmem's management
 * @parent: the device that the memory is on
 * @desc: the memory and what there is to know about it
 *
 * The memory is in mode "offline" then, unless it was adopted.
 *
 * Return: the cxlmem device, to be given to cxlmem_unregister(), or an
 * ERR_PTR(); @desc->memory is the caller's still in that case.
 */
struct cxlmem_device *cxlmem_register(struct device *parent, const struct cxlmem_desc *desc)
{
	struct cxlmem_memory *mem = desc->memory;
	struct cxlmem_device *cdev;
	int rc;

	rc = init_settings(parent, mem, desc->node);
	if (rc)
		return ERR_PTR(rc);

	cdev = kzalloc(sizeof(*cdev), GFP_KERNEL);
	if (!cdev)
		return ERR_PTR(-ENOMEM);
	cdev->mem = mem;
	cdev->serial = desc->serial;
	cdev->ops = desc->ops;
	cdev->drvdata = desc->drvdata;
	mutex_init(&cdev->lock);
	init_rwsem(&cdev->use);
	mutex_init(&cdev->error_lock);

	device_initialize(&cdev->dev);
	cdev->dev.class = &cxlmem_class;
	cdev->dev.parent = parent;
	rc = dev_set_name(&cdev->dev, "%s", mem->name);
	if (!rc)
		rc = cxlmem_chardev_add(cdev);
	if (rc) {
		put_device(&cdev->dev);
		return ERR_PTR(rc);
	}

	if (mem->cma)
		cxlmem_cma_offer(cdev);
	dev_info(&cdev->dev, "%lu MiB at %#llx, node %d\n", to_mib(range_len(&mem->range)),
		 mem->range.start, mem->node);
	if (range_len(&mem->usable) < range_len(&mem->range))
		dev_info(&cdev->dev, "%llu KiB of it are whole memory blocks, at %#llx\n",
			 range_len(&mem->usable) >> 10, mem->usable.start);
	return cdev;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_register, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_unregister() - end cxlmem's management of a device's memory
 * @cdev: the cxlmem device; gone afterwards
 *
 * Evacuates the memory. A transition that somebody else has under way is
 * stopped first.
 *
 * Return: 0 if the memory is out of use, and the hardware may stop decoding
 * it. Else an error number: something could not be moved. The memory stays
 * online then, the hardware must go on decoding it, and the next
 * cxlmem_memory_claim() of the same range adopts it.
 */
int cxlmem_unregister(struct cxlmem_device *cdev)
{
	struct cxlmem_memory *mem = cdev->mem;
	int rc;

	WRITE_ONCE(cdev->removed, true);
	wake_up_all(&mem->wait);
	mutex_lock(&cdev->lock);
	rc = cxlmem_switch_mode(cdev, &cxlmem_mode_offline);
	mutex_unlock(&cdev->lock);
	if (rc)
		dev_err(&cdev->dev, "%lu MiB stay in mode %s without a driver until it is bound again\n",
			to_mib(range_len(&mem->usable)), mem->mode->name);

	cxlmem_heap_withdraw(mem->name);
	cxlmem_chardev_del(cdev);
	cxlmem_memory_release(mem);
	put_device(&cdev->dev);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_unregister, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_evacuate() - bring a device's memory to mode "offline"
 * @cdev: the cxlmem device
 *
 * As writing "offline" to its mode does: all or nothing, and a signal to the
 * calling process stops it.
 *
 * Return: 0, or an error number as the attribute's.
 */
int cxlmem_evacuate(struct cxlmem_device *cdev)
{
	int rc;

	if (mutex_lock_interruptible(&cdev->lock))
		return -EINTR;
	cxlmem_forget_error(cdev);
	rc = cdev->removed ? -ENODEV : cxlmem_switch_mode(cdev, &cxlmem_mode_offline);
	mutex_unlock(&cdev->lock);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_evacuate, CXLMEM_NS(CXLMEM));

static int __init cxlmem_init(void)
{
	int rc;

	rc = cxlmem_work_init();
	if (rc)
		return rc;
	rc = cxlmem_chardev_init();
	if (rc)
		goto exit_work;
	rc = class_register(&cxlmem_class);
	if (rc)
		goto exit_chardev;
	return 0;

exit_chardev:
	cxlmem_chardev_exit();
exit_work:
	cxlmem_work_exit();
	return rc;
}
module_init(cxlmem_init);

static void __exit cxlmem_exit(void)
{
	class_unregister(&cxlmem_class);
	cxlmem_chardev_exit();
	cxlmem_work_exit();
	cxlmem_system_exit();
	cxlmem_evacuate_exit();
}
module_exit(cxlmem_exit);

MODULE_DESCRIPTION("Coherent device memory in a mode of its owner's choice");
MODULE_VERSION("0.1");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(CXLMEM_NS(CXLMEM));
