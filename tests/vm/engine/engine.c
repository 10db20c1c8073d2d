// SPDX-License-Identifier: GPL-2.0
/*
 * A vendor's driver as a test wants it (see driver-engine.t): it hands a range to
 * cxlmem, has an "engine" that copies pages, and moves memory of processes that
 * are named to it in debugfs:
 *
 *	move		"in|out|create|ask PID START LENGTH"; an error is write's
 *	result		what became of the pages of the last
 *	copied		pages that the engine has copied
 *	refused		how often it was asked to copy and did not
 *	broken		it copies half of the pages, wrongly, and then fails
 *	busy		it cannot stop using the memory now
 *	quiesced	how often it was asked to stop and did
 *	running		whether it may use the memory
 */
#include <linux/atomic.h>
#include <linux/cxlmem.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/platform_device.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "compat.h"

static ulong start, size;
module_param(start, ulong, 0);
module_param(size, ulong, 0);

static struct platform_device *parent;
static struct cxlmem_device *cdev;
static struct dentry *dir;
static atomic_t copied, refused, quiesced;
static bool broken, busy, running = true;
static DEFINE_MUTEX(lock);	/* guards what follows */
static struct cxlmem_move result;
static struct cxlmem_residency places;

static int engine_copy(void *drvdata, const struct cxlmem_copy *pages, unsigned int n)
{
	unsigned int i;

	if (WARN_ON(drvdata != &copied))
		return -EINVAL;
	if (READ_ONCE(broken)) {
		for (i = 0; i < n / 2; i++)
			clear_highpage(pages[i].to);
		atomic_inc(&refused);
		return -EIO;
	}
	for (i = 0; i < n; i++) {
		if (WARN_ON(!PageLocked(pages[i].to) || !PageLocked(pages[i].from)))
			return -EINVAL;
		copy_highpage(pages[i].to, pages[i].from);
	}
	atomic_add(n, &copied);
	return 0;
}

static int engine_quiesce(void *drvdata)
{
	if (READ_ONCE(busy))
		return -EBUSY;
	WRITE_ONCE(running, false);
	atomic_inc(&quiesced);
	return 0;
}

static void engine_resume(void *drvdata)
{
	WRITE_ONCE(running, true);
}

static const struct cxlmem_ops ops = {
	.quiesce = engine_quiesce,
	.resume = engine_resume,
	.copy = engine_copy,
};

static int do_move(const char *what, struct mm_struct *mm, u64 at, u64 length)
{
	guard(mutex)(&lock);
	result = (struct cxlmem_move) { .start = at, .length = length };
	places = (struct cxlmem_residency) { .start = at, .length = length };
	if (!strcmp(what, "in"))
		return cxlmem_move_in(cdev, mm, &result);
	if (!strcmp(what, "out"))
		return cxlmem_move_out(cdev, mm, &result);
	if (!strcmp(what, "create"))
		return cxlmem_create(cdev, mm, &result);
	if (!strcmp(what, "ask"))
		return cxlmem_residency(cdev, mm, &places, NULL);
	return -EINVAL;
}

static ssize_t move_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct task_struct *task;
	char text[128], what[8];
	struct mm_struct *mm;
	u64 at, length;
	int pid, rc;

	if (count >= sizeof(text) || copy_from_user(text, from, count))
		return -EFAULT;
	text[count] = '\0';
	if (sscanf(text, "%7s %d %llx %llx", what, &pid, &at, &length) != 4)
		return -EINVAL;
	task = get_pid_task(find_vpid(pid), PIDTYPE_PID);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	/* The structure is enough: the process may end meanwhile. */
	mmgrab(mm);
	mmput(mm);
	rc = do_move(what, mm, at, length);
	mmdrop(mm);
	return rc ?: count;
}

static const struct file_operations move_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = move_write,
};

static int result_show(struct seq_file *seq, void *unused)
{
	guard(mutex)(&lock);
	seq_printf(seq, "moved=%llu created=%llu already=%llu busy=%llu no_room=%llu device=%llu\n",
		   result.counts.moved, result.counts.created, result.counts.already,
		   result.counts.busy, result.counts.no_room, places.device);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int register_memory(void)
{
	struct cxlmem_desc desc = {
		.node = NUMA_NO_NODE,
		.ops = &ops,
		.drvdata = &copied,
	};
	struct range range = { .start = start, .end = start + size - 1 };

	desc.memory = cxlmem_memory_claim(&parent->dev, range, CXLMEM_SOURCE_OTHER);
	if (IS_ERR(desc.memory))
		return PTR_ERR(desc.memory);
	cdev = cxlmem_register(&parent->dev, &desc);
	if (IS_ERR(cdev)) {
		cxlmem_memory_release(desc.memory);
		return PTR_ERR(cdev);
	}
	return 0;
}

static int __init engine_init(void)
{
	int rc;

	parent = platform_device_register_simple("engine", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	rc = register_memory();
	if (rc) {
		platform_device_unregister(parent);
		return rc;
	}
	dir = debugfs_create_dir("engine", NULL);
	debugfs_create_file("move", 0200, dir, NULL, &move_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_atomic_t("copied", 0400, dir, &copied);
	debugfs_create_atomic_t("refused", 0400, dir, &refused);
	debugfs_create_atomic_t("quiesced", 0400, dir, &quiesced);
	debugfs_create_bool("broken", 0600, dir, &broken);
	debugfs_create_bool("busy", 0600, dir, &busy);
	debugfs_create_bool("running", 0400, dir, &running);
	return 0;
}
module_init(engine_init);

static void __exit engine_exit(void)
{
	debugfs_remove(dir);
	cxlmem_unregister(cdev);
	platform_device_unregister(parent);
}
module_exit(engine_exit);

MODULE_DESCRIPTION("A vendor's driver with an engine, for a test of cxlmem");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(CXLMEM_NS(CXLMEM));
