// SPDX-License-Identifier: GPL-2.0
/* The attributes of a cxlmem device; docs/ABI/sysfs-class-cxlmem has them all. */
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/nodemask.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/sysfs.h>

#include "internal.h"

/*
 * Every write comes through here: one at a time, none once the device goes,
 * and last_error is about this write.
 */
static ssize_t locked_store(struct device *dev, const char *buf, size_t count,
			    int (*store)(struct cxlmem_device *cdev, const char *buf))
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);
	int rc;

	if (mutex_lock_interruptible(&cdev->lock))
		return -EINTR;
	cxlmem_forget_error(cdev);
	rc = cdev->removed ? -ENODEV : store(cdev, buf);
	mutex_unlock(&cdev->lock);
	return rc ?: count;
}

/* Settings say how a mode is entered, so they hold still while one is on. */
static int refuse_unless_offline(struct cxlmem_device *cdev, const char *attribute)
{
	if (cdev->mem->mode == &cxlmem_mode_offline)
		return 0;
	return cxlmem_refuse(cdev, -EBUSY, "%s can be set in mode offline only, and the mode is %s",
			     attribute, cdev->mem->mode->name);
}

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(to_cxlmem_device(dev)->mem->mode)->name);
}

static int set_mode(struct cxlmem_device *cdev, const char *buf)
{
	int i;

	for (i = 0; i < cxlmem_nr_modes; i++)
		if (sysfs_streq(buf, cxlmem_modes[i]->name))
			return cxlmem_switch_mode(cdev, cxlmem_modes[i]);
	return cxlmem_refuse(cdev, -EINVAL, "there is no such mode; see the attribute modes");
}

static ssize_t mode_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return locked_store(dev, buf, count, set_mode);
}
static DEVICE_ATTR_RW(mode);

static ssize_t modes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int i, n = 0;

	for (i = 0; i < cxlmem_nr_modes; i++)
		n += sysfs_emit_at(buf, n, "%s%s", i ? " " : "", cxlmem_modes[i]->name);
	return n + sysfs_emit_at(buf, n, "\n");
}
static DEVICE_ATTR_RO(modes);

static ssize_t zone_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  cxlmem_zone_names[READ_ONCE(to_cxlmem_device(dev)->mem->zone)]);
}

static int set_zone(struct cxlmem_device *cdev, const char *buf)
{
	int zone = sysfs_match_string(cxlmem_zone_names, buf);

	if (zone < 0)
		return cxlmem_refuse(cdev, -EINVAL, "the zone must be movable or kernel");
	if (refuse_unless_offline(cdev, "zone"))
		return -EBUSY;
	WRITE_ONCE(cdev->mem->zone, zone);
	return 0;
}

static ssize_t zone_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return locked_store(dev, buf, count, set_zone);
}
static DEVICE_ATTR_RW(zone);

static ssize_t node_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_cxlmem_device(dev)->mem->node));
}

static int set_node(struct cxlmem_device *cdev, const char *buf)
{
	char number[12], word[8] = "", rest;
	bool forced;
	int node;

	/* Not by %d, which takes a number that does not fit for another one. */
	if (!isdigit(buf[0]) || sscanf(buf, "%11s %7s %c", number, word, &rest) > 2 ||
	    kstrtoint(number, 10, &node) || (word[0] && strcmp(word, "force")))
		return cxlmem_refuse(cdev, -EINVAL,
				     "the node must be a number, followed by \"force\" if need be");
	forced = word[0];
	if (node >= MAX_NUMNODES || !node_possible(node))
		return cxlmem_refuse(cdev, -ERANGE, "node %d cannot exist; the possible nodes are %*pbl",
				     node, nodemask_pr_args(&node_states[N_POSSIBLE]));
	if (node_state(node, N_CPU) && !forced)
		return cxlmem_refuse(cdev, -EPERM,
				     "node %d has CPUs: far memory cannot be told from near memory there, unless forced",
				     node);
	if (refuse_unless_offline(cdev, "node"))
		return -EBUSY;
	WRITE_ONCE(cdev->mem->node, node);
	cdev->mem->node_forced = forced;
	return 0;
}

static ssize_t node_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return locked_store(dev, buf, count, set_node);
}
static DEVICE_ATTR_RW(node);

static ssize_t memmap_on_memory_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_cxlmem_device(dev)->mem->memmap_on_memory));
}

static int set_memmap_on_memory(struct cxlmem_device *cdev, const char *buf)
{
	bool on;

	if (kstrtobool(buf, &on))
		return cxlmem_refuse(cdev, -EINVAL, "memmap_on_memory must be 0 or 1");
	if (on && !mhp_supports_memmap_on_memory())
		return cxlmem_refuse(cdev, -EOPNOTSUPP,
				     "the kernel was not started with memory_hotplug.memmap_on_memory=1");
	if (refuse_unless_offline(cdev, "memmap_on_memory"))
		return -EBUSY;
	WRITE_ONCE(cdev->mem->memmap_on_memory, on);
	return 0;
}

static ssize_t memmap_on_memory_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t count)
{
	return locked_store(dev, buf, count, set_memmap_on_memory);
}
static DEVICE_ATTR_RW(memmap_on_memory);

static ssize_t start_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", to_cxlmem_device(dev)->mem->range.start);
}
static DEVICE_ATTR_RO(start);

static ssize_t size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", range_len(&to_cxlmem_device(dev)->mem->range));
}
static DEVICE_ATTR_RO(size);

static ssize_t usable_start_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", to_cxlmem_device(dev)->mem->usable.start);
}
static DEVICE_ATTR_RO(usable_start);

static ssize_t usable_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", range_len(&to_cxlmem_device(dev)->mem->usable));
}
static DEVICE_ATTR_RO(usable_size);

static ssize_t source_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const names[] = {
		[CXLMEM_SOURCE_OTHER] = "other",
		[CXLMEM_SOURCE_FIRMWARE] = "firmware",
		[CXLMEM_SOURCE_DRIVER] = "driver",
		[CXLMEM_SOURCE_SOFT_RESERVED] = "soft-reserved",
	};

	return sysfs_emit(buf, "%s\n", names[to_cxlmem_device(dev)->mem->source]);
}
static DEVICE_ATTR_RO(source);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x%llx\n", to_cxlmem_device(dev)->serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t progress_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);
	const struct cxlmem_mode *to = READ_ONCE(cdev->going_to);
	struct cxlmem_memory *mem = cdev->mem;
	u64 done = 0, total = range_len(&mem->usable);
	const struct cxlmem_mode *mode;

	if (!to)
		return sysfs_emit(buf, "idle\n");
	mode = READ_ONCE(mem->mode);
	if (READ_ONCE(mem->leaving) && mode->progress) {
		guard(rwsem_read)(&cdev->use);
		mode->progress(mem, &done, &total);
	}
	return sysfs_emit(buf, "%s %s %llu %llu\n", mode->name, to->name, done, total);
}
static DEVICE_ATTR_RO(progress);

static ssize_t last_error_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);

	guard(mutex)(&cdev->error_lock);
	return sysfs_emit(buf, "%s\n", cdev->error);
}
static DEVICE_ATTR_RO(last_error);

static ssize_t device_error_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);

	guard(mutex)(&cdev->error_lock);
	return sysfs_emit(buf, "%s\n", cdev->device_error);
}
static DEVICE_ATTR_RO(device_error);

static ssize_t policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  cxlmem_policy_names[READ_ONCE(to_cxlmem_device(dev)->mem->policy)]);
}

static int set_policy(struct cxlmem_device *cdev, const char *buf)
{
	int policy = sysfs_match_string(cxlmem_policy_names, buf);

	if (policy < 0)
		return cxlmem_refuse(cdev, -EINVAL, "the policy must be deny or evict");
	WRITE_ONCE(cdev->mem->policy, policy);
	return 0;
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	return locked_store(dev, buf, count, set_policy);
}
static DEVICE_ATTR_RW(policy);

static ssize_t quota_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(to_cxlmem_device(dev)->mem->quota));
}

static int set_quota(struct cxlmem_device *cdev, const char *buf)
{
	u64 quota;

	if (kstrtou64(buf, 10, &quota) || !PAGE_ALIGNED(quota))
		return cxlmem_refuse(cdev, -EINVAL,
				     "the quota must be a number of bytes, a multiple of %lu",
				     PAGE_SIZE);
	WRITE_ONCE(cdev->mem->quota, quota);
	return 0;
}

static ssize_t quota_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	return locked_store(dev, buf, count, set_quota);
}
static DEVICE_ATTR_RW(quota);

static ssize_t lend_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", str_on_off(READ_ONCE(to_cxlmem_device(dev)->mem->lend)));
}

static int set_lend(struct cxlmem_device *cdev, const char *buf)
{
	bool lend;

	if (kstrtobool(buf, &lend))
		return cxlmem_refuse(cdev, -EINVAL, "lend must be on or off");
	return cxlmem_cma_lend(cdev, lend);
}

static ssize_t lend_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return locked_store(dev, buf, count, set_lend);
}
static DEVICE_ATTR_RW(lend);

static struct attribute *cxlmem_attrs[] = {
	&dev_attr_mode.attr,
	&dev_attr_modes.attr,
	&dev_attr_zone.attr,
	&dev_attr_node.attr,
	&dev_attr_memmap_on_memory.attr,
	&dev_attr_start.attr,
	&dev_attr_size.attr,
	&dev_attr_usable_start.attr,
	&dev_attr_usable_size.attr,
	&dev_attr_source.attr,
	&dev_attr_serial.attr,
	&dev_attr_progress.attr,
	&dev_attr_last_error.attr,
	&dev_attr_device_error.attr,
	&dev_attr_policy.attr,
	&dev_attr_quota.attr,
	&dev_attr_lend.attr,
	NULL
};

static const struct attribute_group cxlmem_group = {
	.attrs = cxlmem_attrs,
};

/* How many bytes mode "driver" has to hand out, or has handed out. */
static u64 pool_bytes(struct device *dev, unsigned long (*pages)(const struct cxlmem_pool *pool))
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);

	guard(rwsem_read)(&cdev->use);
	if (!cdev->mem->coherent)
		return 0;
	return PFN_PHYS((u64)pages(cxlmem_coherent_pool(cdev->mem->coherent)));
}

static ssize_t capacity_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", pool_bytes(dev, cxlmem_pool_pages));
}
static DEVICE_ATTR_RO(capacity);

static ssize_t used_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", pool_bytes(dev, cxlmem_pool_used));
}
static DEVICE_ATTR_RO(used);

static ssize_t stat_show(struct device *dev, char *buf, enum cxlmem_stat stat)
{
	return sysfs_emit(buf, "%lld\n",
			  atomic64_read(&to_cxlmem_device(dev)->mem->stats[stat]));
}

#define STAT_ATTR(_name, _stat)								\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	return stat_show(dev, buf, _stat);						\
}											\
static DEVICE_ATTR_RO(_name)

STAT_ATTR(moved_in, CXLMEM_STAT_MOVED_IN);
STAT_ATTR(created, CXLMEM_STAT_CREATED);
STAT_ATTR(moved_out, CXLMEM_STAT_MOVED_OUT);
STAT_ATTR(evicted, CXLMEM_STAT_EVICTED);
STAT_ATTR(evacuated, CXLMEM_STAT_EVACUATED);
STAT_ATTR(split, CXLMEM_STAT_SPLIT);
STAT_ATTR(refused, CXLMEM_STAT_REFUSED);

static struct attribute *pages_attrs[] = {
	&dev_attr_capacity.attr,
	&dev_attr_used.attr,
	&dev_attr_moved_in.attr,
	&dev_attr_created.attr,
	&dev_attr_moved_out.attr,
	&dev_attr_evicted.attr,
	&dev_attr_evacuated.attr,
	&dev_attr_split.attr,
	&dev_attr_refused.attr,
	NULL
};

static const struct attribute_group pages_group = {
	.name = "pages",
	.attrs = pages_attrs,
};

static struct cxlmem_cma_state cma_state(struct device *dev)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);
	struct cxlmem_cma_state state = {};

	guard(rwsem_read)(&cdev->use);
	if (cdev->mem->cma)
		cxlmem_cma_look(cdev->mem->cma, &state);
	return state;
}

#define CMA_ATTR(_name, _amount)							\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	return sysfs_emit(buf, "%llu\n", cma_state(dev)._amount);				\
}											\
static DEVICE_ATTR_RO(_name)

CMA_ATTR(lent, lent);
CMA_ATTR(claimed, claimed);
CMA_ATTR(free, free);
CMA_ATTR(largest, largest);
CMA_ATTR(taking, taking);

static ssize_t claims_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct cxlmem_device *cdev = to_cxlmem_device(dev);

	guard(rwsem_read)(&cdev->use);
	return cdev->mem->cma ? cxlmem_cma_list(cdev->mem->cma, buf) : 0;
}
static DEVICE_ATTR_RO(claims);

static struct attribute *cma_attrs[] = {
	&dev_attr_lent.attr,
	&dev_attr_claimed.attr,
	&dev_attr_free.attr,
	&dev_attr_largest.attr,
	&dev_attr_taking.attr,
	&dev_attr_claims.attr,
	NULL
};

static const struct attribute_group cma_group = {
	.name = "cma",
	.attrs = cma_attrs,
};

const struct attribute_group *cxlmem_groups[] = {
	&cxlmem_group,
	&pages_group,
	&cma_group,
	&cxlmem_contents_group,
	NULL
};
