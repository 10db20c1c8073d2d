// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem_range: memory that only the firmware's memory map tells of (Soft
 * Reserved). The owner names the range; it becomes a platform device.
 */
#include <linux/cleanup.h>
#include <linux/cxlmem.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"

#define DRIVER_NAME "cxlmem_range"

static char *ranges = "";
module_param(ranges, charp, 0444);
MODULE_PARM_DESC(ranges, "ranges to take: START+SIZE[@NODE][,...], with suffixes K, M, G or T");

/**
 * struct range_data - what the platform device carries
 * @range: the range
 * @node: the node that the owner names, or NUMA_NO_NODE
 * @error: why the last probe failed, since the driver core does not pass it on
 */
struct range_data {
	struct range range;
	int node;
	int error;
};

/* A range that the owner has named, and its platform device. */
struct owned_range {
	struct list_head list;
	struct platform_device *pdev;
	u64 start;
};

static LIST_HEAD(owned_ranges);
static DEFINE_MUTEX(owned_ranges_lock);

static int add_length(struct resource *res, void *arg)
{
	*(u64 *)arg += resource_size(res);
	return 0;
}

static bool is_soft_reserved(struct range range)
{
	u64 length = 0;

	walk_soft_reserve_res(range.start, range.end, &length, add_length);
	return length == range_len(&range);
}

static int register_memory(struct platform_device *pdev, const struct range_data *data)
{
	struct cxlmem_desc desc = { .node = data->node };
	struct cxlmem_device *cdev;

	if (!is_soft_reserved(data->range))
		return dev_err_probe(&pdev->dev, -EINVAL,
				     "[mem %#llx-%#llx] is not all Soft Reserved: in the firmware's memory map it is System RAM or not memory, at least in part\n",
				     data->range.start, data->range.end);
	desc.memory = cxlmem_memory_claim(&pdev->dev, data->range, CXLMEM_SOURCE_SOFT_RESERVED);
	if (IS_ERR(desc.memory))
		return PTR_ERR(desc.memory);

	cdev = cxlmem_register(&pdev->dev, &desc);
	if (IS_ERR(cdev)) {
		cxlmem_memory_release(desc.memory);
		return PTR_ERR(cdev);
	}
	platform_set_drvdata(pdev, cdev);
	return 0;
}

static int cxlmem_range_probe(struct platform_device *pdev)
{
	struct range_data *data = dev_get_platdata(&pdev->dev);

	/* A device of this name that is not ours says nothing. */
	if (!data)
		return -ENODEV;
	data->error = register_memory(pdev, data);
	return data->error;
}

static void cxlmem_range_remove(struct platform_device *pdev)
{
	cxlmem_unregister(platform_get_drvdata(pdev));
}

static int own_range(u64 start, u64 size, int node)
{
	struct range_data data = {
		.range = { .start = start, .end = start + size - 1 },
		.node = node,
		.error = -ENODEV,
	};
	struct platform_device_info info = {
		.name = DRIVER_NAME,
		.id = PLATFORM_DEVID_AUTO,
		.data = &data,
		.size_data = sizeof(data),
	};
	struct owned_range *owned __free(kfree) = kzalloc(sizeof(*owned), GFP_KERNEL);
	const struct range_data *probed;
	int error;

	if (!owned)
		return -ENOMEM;
	if (!size || start + size - 1 < start) {
		pr_err(DRIVER_NAME ": %#llx+%#llx is not a range\n", start, size);
		return -EINVAL;
	}

	guard(mutex)(&owned_ranges_lock);
	owned->start = start;
	owned->pdev = platform_device_register_full(&info);
	if (IS_ERR(owned->pdev))
		return PTR_ERR(owned->pdev);
	probed = dev_get_platdata(&owned->pdev->dev);
	error = probed->error;
	if (error) {
		platform_device_unregister(owned->pdev);
		return error;
	}
	list_add_tail(&no_free_ptr(owned)->list, &owned_ranges);
	return 0;
}

static void drop_range(struct owned_range *owned)
{
	list_del(&owned->list);
	platform_device_unregister(owned->pdev);
	kfree(owned);
}

/* Unregistering cannot fail, so what can is done before. */
static int evacuate_range(struct owned_range *owned)
{
	struct device *dev = &owned->pdev->dev;

	guard(device)(dev);
	return dev->driver ? cxlmem_evacuate(dev_get_drvdata(dev)) : 0;
}

/* "START SIZE" or "START SIZE NODE" */
static ssize_t new_range_store(struct device_driver *driver, const char *buf, size_t count)
{
	int node = NUMA_NO_NODE, n, rc = -EINVAL;
	u64 start, size;
	char **words;

	/* sscanf() would take a number that does not fit for another one. */
	words = argv_split(GFP_KERNEL, buf, &n);
	if (!words)
		return -ENOMEM;
	if ((n == 2 || n == 3) && !kstrtou64(words[0], 0, &start) &&
	    !kstrtou64(words[1], 0, &size) && (n == 2 || !kstrtoint(words[2], 0, &node)))
		rc = own_range(start, size, node);
	argv_free(words);
	return rc ?: count;
}
static DRIVER_ATTR_WO(new_range);

static ssize_t remove_range_store(struct device_driver *driver, const char *buf, size_t count)
{
	struct owned_range *owned;
	u64 start;
	int rc;

	rc = kstrtou64(buf, 0, &start);
	if (rc)
		return rc;
	if (mutex_lock_interruptible(&owned_ranges_lock))
		return -EINTR;
	rc = -ENOENT;
	list_for_each_entry(owned, &owned_ranges, list) {
		if (owned->start != start)
			continue;
		rc = evacuate_range(owned);
		if (!rc)
			drop_range(owned);
		break;
	}
	mutex_unlock(&owned_ranges_lock);
	return rc ?: count;
}
static DRIVER_ATTR_WO(remove_range);

static struct attribute *cxlmem_range_attrs[] = {
	&driver_attr_new_range.attr,
	&driver_attr_remove_range.attr,
	NULL
};
ATTRIBUTE_GROUPS(cxlmem_range);

static struct platform_driver cxlmem_range_driver = {
	.probe = cxlmem_range_probe,
	.remove = cxlmem_range_remove,
	.driver = {
		.name = DRIVER_NAME,
		.groups = cxlmem_range_groups,
	},
};

/* The driver goes first, so that nobody can write a new_range any more. */
static void give_up_all(void)
{
	struct owned_range *owned, *next;

	platform_driver_unregister(&cxlmem_range_driver);
	list_for_each_entry_safe(owned, next, &owned_ranges, list)
		drop_range(owned);
}

/* One START+SIZE[@NODE] of the module parameter. */
static int own_from_word(char *word)
{
	int node = NUMA_NO_NODE;
	u64 start, size;
	char *at = word;

	start = memparse(at, &at);
	if (at == word || *at++ != '+')
		goto garbage;
	size = memparse(at, &at);
	if (*at == '@' && kstrtoint(at + 1, 0, &node))
		goto garbage;
	if (*at && *at != '@')
		goto garbage;
	return own_range(start, size, node);

garbage:
	pr_err(DRIVER_NAME ": ranges: \"%s\" is not START+SIZE[@NODE]\n", word);
	return -EINVAL;
}

/* All ranges of the parameter are taken, or none is. */
static int own_from_parameter(void)
{
	char *words __free(kfree) = kstrdup(ranges, GFP_KERNEL);
	char *rest = words, *word;
	int rc;

	if (!words)
		return -ENOMEM;
	while ((word = strsep(&rest, ","))) {
		if (!*word && !rest && word == words)
			break;
		rc = own_from_word(word);
		if (rc)
			return rc;
	}
	return 0;
}

static int __init cxlmem_range_init(void)
{
	int rc = platform_driver_register(&cxlmem_range_driver);

	if (rc)
		return rc;
	rc = own_from_parameter();
	if (rc)
		give_up_all();
	return rc;
}
module_init(cxlmem_range_init);

static void __exit cxlmem_range_exit(void)
{
	give_up_all();
}
module_exit(cxlmem_range_exit);

MODULE_DESCRIPTION("Firmware-described memory ranges for cxlmem");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(CXLMEM_NS(CXLMEM));
