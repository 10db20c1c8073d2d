// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cxlmemN: the modes "driver" and "cma" for processes. What it takes and gives is
 * in include/uapi/linux/cxlmem.h.
 *
 * A file may be open longer than there is a device: it has a reference to the
 * struct cxlmem_device, and whatever it does checks if that has been removed.
 */
#include <linux/cdev.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

#define NR_MINORS (MINORMASK + 1)

static dev_t first_devt;

/* The sizes that the structures had when they were made, which is the least. */
static_assert(sizeof(struct cxlmem_info) == 80);
static_assert(sizeof(struct cxlmem_move) == 200);
static_assert(sizeof(struct cxlmem_residency) == 104);
static_assert(sizeof(struct cxlmem_buffer) == 88);
#define INFO_SIZE_MIN 80
#define MOVE_SIZE_MIN 200
#define RESIDENCY_SIZE_MIN 104
#define BUFFER_SIZE_MIN 88

/* Gets what the caller has filled in, of the size that he says. */
static int get_struct(void *to, size_t known, size_t least, const void __user *from, u32 *size)
{
	if (get_user(*size, (const u32 __user *)from))
		return -EFAULT;
	if (*size < least || *size > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(to, known, from, *size);
}

static int put_struct(void __user *to, u32 size, const void *from, size_t known)
{
	return copy_to_user(to, from, min_t(size_t, size, known)) ? -EFAULT : 0;
}

static bool is_zero(const void *field, size_t size)
{
	return !memchr_inv(field, 0, size);
}

static void find_cma_info(struct cxlmem_cma *cma, struct cxlmem_info *info)
{
	struct cxlmem_cma_state state;

	cxlmem_cma_look(cma, &state);
	info->flags |= CXLMEM_INFO_CMA_MODE;
	info->capacity = state.capacity;
	info->used = state.claimed;
	info->user_used = cxlmem_cma_used_by(cma, current_uid());
}

static int find_info(struct cxlmem_device *cdev, struct cxlmem_info *info)
{
	const struct cxlmem_memory *mem;
	struct cxlmem_pool *pool;

	*info = (struct cxlmem_info) {
		.size = info->size,
		.page_size = PAGE_SIZE,
		.huge_size = CXLMEM_BLOCK,
	};
	guard(rwsem_read)(&cdev->use);
	if (cdev->removed)
		return -ENODEV;
	mem = cdev->mem;
	info->quota = READ_ONCE(mem->quota);
	if (READ_ONCE(mem->policy) == CXLMEM_EVICT)
		info->flags |= CXLMEM_INFO_EVICTS;
	if (READ_ONCE(mem->lend))
		info->flags |= CXLMEM_INFO_LENDS;
	if (mem->cma)
		find_cma_info(mem->cma, info);
	if (!mem->coherent)
		return 0;
	pool = cxlmem_coherent_pool(mem->coherent);
	info->flags |= CXLMEM_INFO_DRIVER_MODE;
	info->capacity = PFN_PHYS((u64)cxlmem_pool_pages(pool));
	info->used = PFN_PHYS((u64)cxlmem_pool_used(pool));
	info->user_used = PFN_PHYS((u64)cxlmem_pool_used_by(pool, current_uid()));
	return 0;
}

static long info_ioctl(struct cxlmem_device *cdev, void __user *arg)
{
	struct cxlmem_info info;
	u32 size;
	int rc;

	rc = get_struct(&info, sizeof(info), INFO_SIZE_MIN, arg, &size);
	if (rc)
		return rc;
	if (info.flags || !is_zero(info.reserved, sizeof(info.reserved)))
		return -EINVAL;
	rc = find_info(cdev, &info);
	return rc ?: put_struct(arg, size, &info, sizeof(info));
}

/*
 * Where memory lies is less than what is in it, so who may read a process's memory
 * by ptrace(2) may move it. Modules cannot ask the kernel who that is; this asks
 * the same but for the security modules, and whether it may dump core.
 */
static bool may_move(struct task_struct *task)
{
	const struct cred *mine = current_cred(), *its;

	guard(rcu)();
	its = __task_cred(task);
	if (ns_capable(its->user_ns, CAP_SYS_PTRACE))
		return true;
	return uid_eq(mine->uid, its->uid) && uid_eq(mine->uid, its->euid) &&
	       uid_eq(mine->uid, its->suid) &&
	       gid_eq(mine->gid, its->gid) && gid_eq(mine->gid, its->egid) &&
	       gid_eq(mine->gid, its->sgid) &&
	       mine->user_ns == its->user_ns &&
	       cap_issubset(its->cap_permitted, mine->cap_permitted);
}

/* To be given back by mmdrop(): the process may end meanwhile. */
static struct mm_struct *get_mm(pid_t nr)
{
	struct task_struct *task __free(put_task) = NULL;
	struct mm_struct *mm = current->mm;
	struct pid *pid;

	if (!nr) {
		mmgrab(mm);
		return mm;
	}
	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	/* Its credentials and its memory are to be of the same program. */
	if (down_read_killable(&task->signal->exec_update_lock))
		return ERR_PTR(-EINTR);
	mm = may_move(task) ? get_task_mm(task) : ERR_PTR(-EPERM);
	up_read(&task->signal->exec_update_lock);
	if (IS_ERR(mm))
		return mm;
	if (!mm)
		return ERR_PTR(-ESRCH);
	mmgrab(mm);
	mmput(mm);
	return mm;
}

static long move_ioctl(struct cxlmem_device *cdev, void __user *arg,
		       int (*do_it)(struct cxlmem_device *cdev, struct mm_struct *mm,
				    struct cxlmem_move *move))
{
	struct cxlmem_move move;
	struct mm_struct *mm;
	u32 size;
	int rc;

	rc = get_struct(&move, sizeof(move), MOVE_SIZE_MIN, arg, &size);
	if (rc)
		return rc;
	if (move.flags || move.pid > PID_MAX_LIMIT || move.reserved0 ||
	    !is_zero(move.reserved, sizeof(move.reserved)))
		return -EINVAL;
	mm = get_mm(move.pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	rc = do_it(cdev, mm, &move);
	mmdrop(mm);
	if (rc == -EINVAL || rc == -ENODEV)
		return rc;
	return put_struct(arg, size, &move, sizeof(move)) ?: rc;
}

/* Block by block, since what it finds has to go to the caller's memory. */
static int residency_to_user(struct cxlmem_device *cdev, struct cxlmem_residency *sums)
{
	u8 *places __free(kfree) = kmalloc(CXLMEM_BLOCK_PAGES, GFP_KERNEL);
	u64 length = sums->length;
	int rc;

	if (!places)
		return -ENOMEM;
	cxlmem_forget_places(sums);
	rc = cxlmem_check_range(sums->start, length);
	while (!rc && sums->done < length) {
		u8 __user *to = u64_to_user_ptr(sums->vector + (sums->done >> PAGE_SHIFT));
		struct cxlmem_residency part = {
			.start = sums->start + sums->done,
			.length = min(length - sums->done, CXLMEM_BLOCK),
		};

		rc = cxlmem_residency(cdev, current->mm, &part, places);
		if (copy_to_user(to, places, part.done >> PAGE_SHIFT))
			return -EFAULT;
		sums->done += part.done;
		sums->none += part.none;
		sums->host += part.host;
		sums->device += part.device;
		sums->other += part.other;
	}
	return rc == -EINTR && sums->done ? 0 : rc;
}

static long residency_ioctl(struct cxlmem_device *cdev, void __user *arg)
{
	struct cxlmem_residency sums;
	u32 size;
	int rc;

	rc = get_struct(&sums, sizeof(sums), RESIDENCY_SIZE_MIN, arg, &size);
	if (rc)
		return rc;
	if (sums.flags || !is_zero(sums.reserved, sizeof(sums.reserved)))
		return -EINVAL;
	if (sums.vector)
		rc = residency_to_user(cdev, &sums);
	else
		rc = cxlmem_residency(cdev, current->mm, &sums, NULL);
	if (rc == -EINVAL || rc == -ENODEV || rc == -EFAULT)
		return rc;
	return put_struct(arg, size, &sums, sizeof(sums)) ?: rc;
}

/*
 * The caller has the file descriptor when he knows its number, or not at all; a
 * claim that he cannot be told of goes with its only reference.
 */
static long claim_ioctl(struct cxlmem_device *cdev, void __user *arg)
{
	struct cxlmem_buffer buffer;
	struct dma_buf *dmabuf;
	int fd, rc;
	u32 size;

	rc = get_struct(&buffer, sizeof(buffer), BUFFER_SIZE_MIN, arg, &size);
	if (rc)
		return rc;
	if (buffer.offset || buffer.moved || buffer.obstacle || buffer.fd || buffer.reserved0 ||
	    !is_zero(buffer.reserved, sizeof(buffer.reserved)))
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	buffer.fd = -1;
	dmabuf = cxlmem_claim(cdev, &buffer);
	rc = PTR_ERR_OR_ZERO(dmabuf);
	if (!rc)
		buffer.fd = fd;
	if (!rc || rc == -EADDRINUSE) {
		if (put_struct(arg, size, &buffer, sizeof(buffer)))
			rc = -EFAULT;
	}
	if (!rc) {
		fd_install(fd, dmabuf->file);
		return 0;
	}
	put_unused_fd(fd);
	if (!IS_ERR(dmabuf))
		dma_buf_put(dmabuf);
	return rc;
}

/* By number, since the size in the command is the one the caller knows. */
static long chardev_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct cxlmem_device *cdev = file->private_data;
	void __user *arg = (void __user *)argument;

	if (_IOC_TYPE(command) != CXLMEM_IOC_MAGIC || _IOC_DIR(command) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	switch (_IOC_NR(command)) {
	case _IOC_NR(CXLMEM_IOC_INFO):
		return info_ioctl(cdev, arg);
	case _IOC_NR(CXLMEM_IOC_MOVE_IN):
		return move_ioctl(cdev, arg, cxlmem_move_in);
	case _IOC_NR(CXLMEM_IOC_CREATE):
		return move_ioctl(cdev, arg, cxlmem_create);
	case _IOC_NR(CXLMEM_IOC_MOVE_OUT):
		return move_ioctl(cdev, arg, cxlmem_move_out);
	case _IOC_NR(CXLMEM_IOC_RESIDENCY):
		return residency_ioctl(cdev, arg);
	case _IOC_NR(CXLMEM_IOC_CLAIM):
		return claim_ioctl(cdev, arg);
	default:
		return -ENOTTY;
	}
}

/* While a file is open the chardev is there, and with it the device it is part of. */
static int chardev_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct cxlmem_device, chardev);
	return nonseekable_open(inode, file);
}

static const struct file_operations chardev_fops = {
	.owner = THIS_MODULE,
	.open = chardev_open,
	.unlocked_ioctl = chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Instead of device_add(). */
int cxlmem_chardev_add(struct cxlmem_device *cdev)
{
	if (cdev->mem->id >= NR_MINORS)
		return -ENOSPC;
	cdev->dev.devt = MKDEV(MAJOR(first_devt), cdev->mem->id);
	cdev_init(&cdev->chardev, &chardev_fops);
	cdev->chardev.owner = THIS_MODULE;
	return cdev_device_add(&cdev->chardev, &cdev->dev);
}

/* Instead of device_del(): who is in the middle of something finishes its block. */
void cxlmem_chardev_del(struct cxlmem_device *cdev)
{
	cdev_device_del(&cdev->chardev, &cdev->dev);
	guard(rwsem_write)(&cdev->use);
}

int __init cxlmem_chardev_init(void)
{
	return alloc_chrdev_region(&first_devt, 0, NR_MINORS, "cxlmem");
}

void cxlmem_chardev_exit(void)
{
	unregister_chrdev_region(first_devt, NR_MINORS);
}
