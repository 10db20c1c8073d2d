// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/t2sampleN: a program gives the engine work on its own memory, and waits for it.
 *
 * The gate: a submitter waits there for room in the ring, and, if the job's memory is to
 * be locked, until little enough is, and no mode switch under way. Who has passed it
 * holds an entry of the ring and his share of locked memory until the job has ended.
 */
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "sample.h"

static uint lock_limit = 64;
module_param(lock_limit, uint, 0644);
MODULE_PARM_DESC(lock_limit, "MiB that the jobs of a device may have locked, before others wait");

/* What a job may lock on each side, and how many may be waited for by one file. */
#define MAX_LOCKED	(4ul << 20)
#define MAX_JOBS	4096

/**
 * struct t2_job - a job, until it has ended and was waited for
 * @ref: held by the ring and by the context's list
 * @ctx: whose it is
 * @queue: of the engine
 * @done: it has ended, and the rest is true
 * @how: how it ended
 * @pages: what it has locked: @nr_dst that are written to, then @nr_src
 * @nr_dst: as it says
 * @nr_src: as it says
 * @segments: the same for the engine
 */
struct t2_job {
	struct kref ref;
	struct t2_context *ctx;
	unsigned int queue;
	struct completion done;
	struct t2s_wait how;
	struct page **pages;
	unsigned int nr_dst;
	unsigned int nr_src;
	struct t2_segment *segments;
};

static unsigned int nr_pages(const struct t2_job *job)
{
	return job->nr_dst + job->nr_src;
}

static size_t segments_size(const struct t2_job *job)
{
	return nr_pages(job) * sizeof(*job->segments);
}

static void free_job(struct kref *ref)
{
	struct t2_job *job = container_of(ref, struct t2_job, ref);

	if (job->segments)
		free_pages_exact(job->segments, segments_size(job));
	kvfree(job->pages);
	t2_context_put(job->ctx);
	kfree(job);
}

static void put_job(struct t2_job *job)
{
	kref_put(&job->ref, free_job);
}

/* Pages that a range is in. */
static unsigned int pages_of(u64 start, u64 length)
{
	return DIV_ROUND_UP(offset_in_page(start) + length, PAGE_SIZE);
}

static struct t2_job *alloc_job(struct t2_context *ctx, const struct t2s_submit *arg)
{
	struct t2_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	kref_init(&job->ref);
	init_completion(&job->done);
	kref_get(&ctx->ref);
	job->ctx = ctx;
	job->queue = QUEUE_VIRTUAL;
	if (!(arg->flags & T2S_LOCK))
		return job;

	job->queue = QUEUE_LOCKED;
	job->nr_dst = arg->op == T2_OP_CHECKSUM ? 0 : pages_of(arg->dst, arg->length);
	job->nr_src = arg->op == T2_OP_COPY || arg->op == T2_OP_CHECKSUM ?
		      pages_of(arg->src, arg->length) : 0;
	job->pages = kvmalloc_array(nr_pages(job), sizeof(*job->pages), GFP_KERNEL_ACCOUNT);
	job->segments = alloc_pages_exact(segments_size(job), GFP_KERNEL_ACCOUNT);
	if (!job->pages || !job->segments) {
		put_job(job);
		return NULL;
	}
	return job;
}

static bool may_pass(struct t2_device *dev, const struct t2_job *job)
{
	unsigned long limit = (unsigned long)READ_ONCE(lock_limit) << (20 - PAGE_SHIFT);

	if (dev->closed)
		return true;
	if (!dev->queues[job->queue].free)
		return false;
	/* One that alone is over the limit goes when nobody else is there. */
	return !nr_pages(job) || (!dev->quiesced && (!dev->locked ||
						     dev->locked + nr_pages(job) <= limit));
}

static int pass_gate(struct t2_device *dev, const struct t2_job *job)
{
	int rc = 0;

	spin_lock(&dev->gate.lock);
	if (!may_pass(dev, job)) {
		dev->blocked += nr_pages(job) > 0;
		rc = wait_event_interruptible_locked(dev->gate, may_pass(dev, job));
	}
	if (!rc)
		rc = dev->closed;
	if (!rc) {
		dev->queues[job->queue].free--;
		dev->locked += nr_pages(job);
	}
	spin_unlock(&dev->gate.lock);
	return rc;
}

static void leave_gate(struct t2_device *dev, const struct t2_job *job)
{
	spin_lock(&dev->gate.lock);
	dev->queues[job->queue].free++;
	dev->locked -= nr_pages(job);
	wake_up_all_locked(&dev->gate);
	spin_unlock(&dev->gate.lock);
}

/* From now on everybody gets the error; the first one counts. */
void t2_close_gate(struct t2_device *dev, int error)
{
	spin_lock(&dev->gate.lock);
	dev->closed = dev->closed ?: error;
	wake_up_all_locked(&dev->gate);
	spin_unlock(&dev->gate.lock);
}

/* Locks a range of the caller's, and lists it for the engine. */
static int lock_range(u64 start, u64 length, unsigned int flags, unsigned int n,
		      struct page **pages, struct t2_segment *segments)
{
	int i, got = n ? pin_user_pages_fast(start & PAGE_MASK, n, flags, pages) : 0;

	if (got != n) {
		if (got > 0)
			unpin_user_pages(pages, got);
		return got < 0 ? got : -EFAULT;
	}
	for (i = 0; i < n; i++) {
		u64 some = min(length, PAGE_SIZE - offset_in_page(start));

		segments[i].address = page_to_phys(pages[i]) + offset_in_page(start);
		segments[i].length = some;
		start += some;
		length -= some;
	}
	return 0;
}

static void unlock_memory(const struct t2_job *job)
{
	unpin_user_pages_dirty_lock(job->pages, job->nr_dst, true);
	unpin_user_pages(job->pages + job->nr_dst, job->nr_src);
}

static int lock_memory(struct t2_job *job, const struct t2s_submit *arg)
{
	int rc;

	rc = lock_range(arg->dst, arg->length, FOLL_WRITE, job->nr_dst, job->pages, job->segments);
	if (rc)
		return rc;
	rc = lock_range(arg->src, arg->length, 0, job->nr_src, job->pages + job->nr_dst,
			job->segments + job->nr_dst);
	if (rc)
		unpin_user_pages(job->pages, job->nr_dst);
	return rc;
}

/* The engine is done with it, or never began. */
static void end_job(struct t2_device *dev, struct t2_job *job, const struct t2_completion *how)
{
	if (nr_pages(job))
		unlock_memory(job);
	leave_gate(dev, job);
	job->how.status = how->status;
	job->how.result = how->result;
	job->how.bytes = how->bytes;
	complete_all(&job->done);
	put_job(job);
}

static struct t2_command command_of(const struct t2_job *job, const struct t2s_submit *arg)
{
	struct t2_command command = {
		.op = arg->op,
		.flags = T2_INTERRUPT,
		.cookie = arg->id,
		.length = arg->length,
		.operand = arg->operand,
		.compare = arg->compare,
	};

	if (job->segments) {
		command.flags |= T2_DST_LIST | T2_SRC_LIST;
		command.dst = virt_to_phys(job->segments);
		command.src = virt_to_phys(job->segments + job->nr_dst);
		command.dst_count = job->nr_dst;
		command.src_count = job->nr_src;
	} else {
		command.flags |= T2_DST_VIRTUAL | T2_SRC_VIRTUAL;
		command.pasid = job->ctx->pasid;
		command.dst = arg->dst;
		command.src = arg->src;
	}
	return command;
}

static void start_job(struct t2_device *dev, struct t2_job *job, const struct t2s_submit *arg)
{
	struct t2_queue *q = &dev->queues[job->queue];

	guard(mutex)(&dev->jobs_lock);
	if (READ_ONCE(dev->closed)) {
		end_job(dev, job, &(struct t2_completion) { .status = T2_ABORTED });
		return;
	}
	q->jobs[q->given % ENTRIES] = job;
	q->ring[q->given++ % ENTRIES] = command_of(job, arg);
	t2_write(dev, T2_QUEUE(job->queue) + T2_QUEUE_GIVEN, q->given);
}

static struct t2_job *next_job(struct t2_queue *q)
{
	return q->jobs[q->taken++ % ENTRIES];
}

static void take_completions(struct t2_device *dev, unsigned int queue)
{
	struct t2_queue *q = &dev->queues[queue];

	lockdep_assert_held(&dev->jobs_lock);
	while (q->taken != q->given) {
		const struct t2_completion *entry = &q->done[q->taken % ENTRIES];

		/* The engine writes it after all the rest. */
		if (smp_load_acquire(&entry->seq) != q->taken + 1)
			break;
		end_job(dev, next_job(q), entry);
	}
}

void t2_take_completions(struct t2_device *dev, unsigned int queue)
{
	guard(mutex)(&dev->jobs_lock);
	take_completions(dev, queue);
	t2_write(dev, T2_QUEUE(queue) + T2_QUEUE_TAKEN, dev->queues[queue].taken);
}

static bool no_jobs(struct t2_device *dev)
{
	guard(spinlock)(&dev->gate.lock);
	return dev->queues[QUEUE_VIRTUAL].free == ENTRIES &&
	       dev->queues[QUEUE_LOCKED].free == ENTRIES;
}

/* Has all jobs end where they are, and waits for that; the gate is closed. */
void t2_abort_jobs(struct t2_device *dev)
{
	unsigned int i;

	/* Nothing ends in an engine that pauses. */
	if (READ_ONCE(dev->paused) || READ_ONCE(dev->stopped))
		return;
	scoped_guard(mutex, &dev->jobs_lock)
		for (i = 0; i < NR_JOB_QUEUES; i++)
			t2_write(dev, T2_QUEUE(i) + T2_QUEUE_CTRL,
				 T2_QUEUE_ENABLE | T2_QUEUE_ABORT);
	wait_event_timeout(dev->gate, no_jobs(dev), usecs_to_jiffies(ANSWER_US));
}

/* Ends what an engine that was stopped has left. */
void t2_fail_jobs(struct t2_device *dev)
{
	unsigned int i;

	guard(mutex)(&dev->jobs_lock);
	for (i = 0; i < NR_JOB_QUEUES; i++) {
		struct t2_queue *q = &dev->queues[i];

		take_completions(dev, i);
		while (q->taken != q->given)
			end_job(dev, next_job(q), &(struct t2_completion) { .status = T2_ABORTED });
	}
}

static int check_arguments(const struct t2s_submit *arg)
{
	u64 end;

	if (arg->op > T2_OP_ADD || arg->flags & ~T2S_LOCK ||
	    check_add_overflow(arg->dst, arg->length, &end) ||
	    check_add_overflow(arg->src, arg->length, &end))
		return -EINVAL;
	if (arg->flags & T2S_LOCK &&
	    (arg->op == T2_OP_NOP || !arg->length || arg->length > MAX_LOCKED))
		return -EINVAL;
	return 0;
}

static int submit(struct t2_context *ctx, struct t2s_submit *arg)
{
	struct t2_device *dev = ctx->dev;
	struct t2_job *job;
	u32 id;
	int rc;

	rc = check_arguments(arg);
	if (rc)
		return rc;
	job = alloc_job(ctx, arg);
	if (!job)
		return -ENOMEM;
	rc = pass_gate(dev, job);
	if (rc)
		goto put_job;
	rc = nr_pages(job) ? lock_memory(job, arg) : 0;
	if (rc)
		goto leave_gate;
	rc = xa_alloc(&ctx->jobs, &id, job, XA_LIMIT(1, MAX_JOBS), GFP_KERNEL_ACCOUNT);
	if (rc)
		goto unlock_memory;
	kref_get(&job->ref);
	arg->id = id;
	start_job(dev, job, arg);
	return 0;

unlock_memory:
	if (nr_pages(job))
		unlock_memory(job);
leave_gate:
	leave_gate(dev, job);
put_job:
	put_job(job);
	return rc;
}

static int wait_for_job(struct t2_context *ctx, struct t2s_wait *arg)
{
	struct t2_job *job;
	u64 id = arg->id;
	int rc;

	xa_lock(&ctx->jobs);
	job = id <= MAX_JOBS ? xa_load(&ctx->jobs, id) : NULL;
	if (job)
		kref_get(&job->ref);
	xa_unlock(&ctx->jobs);
	if (!job)
		return -ENOENT;
	rc = wait_for_completion_interruptible(&job->done);
	if (!rc) {
		*arg = job->how;
		arg->id = id;
		/* Somebody else may have waited for it, too. */
		if (xa_cmpxchg(&ctx->jobs, id, job, NULL, 0) == job)
			put_job(job);
	}
	put_job(job);
	return rc;
}

static void tell_stats(struct t2_context *ctx, struct t2s_stats *stats)
{
	struct t2_device *dev = ctx->dev;

	*stats = ctx->stats;
	stats->blocked = READ_ONCE(dev->blocked);
	stats->copied = READ_ONCE(dev->copied);
	guard(mutex)(&dev->tables_lock);
	if (dev->stopped)
		return;
	stats->local = readq(dev->regs + T2_LOCAL_BYTES);
	stats->remote = readq(dev->regs + T2_REMOTE_BYTES);
	stats->time = readq(dev->regs + T2_MODEL_TIME);
}

static long t2_ioctl(struct file *file, unsigned int cmd, unsigned long to)
{
	union {
		struct t2s_submit submit;
		struct t2s_wait wait;
		struct t2s_stats stats;
	} arg;
	struct t2_context *ctx = file->private_data;
	void __user *at = (void __user *)to;
	int rc = 0;

	/* A child has the file, and other memory. */
	if (current->mm != ctx->notifier.mm)
		return -EPERM;
	if (cmd != T2S_SUBMIT && cmd != T2S_WAIT && cmd != T2S_STATS)
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&arg, at, _IOC_SIZE(cmd)))
		return -EFAULT;
	if (cmd == T2S_SUBMIT)
		rc = submit(ctx, &arg.submit);
	else if (cmd == T2S_WAIT)
		rc = wait_for_job(ctx, &arg.wait);
	else
		tell_stats(ctx, &arg.stats);
	if (rc)
		return rc;
	return copy_to_user(at, &arg, _IOC_SIZE(cmd)) ? -EFAULT : 0;
}

static int t2_open(struct inode *inode, struct file *file)
{
	struct t2_device *dev = container_of(file->private_data, struct t2_device, misc);
	struct t2_context *ctx = t2_context_create(dev, current->mm);

	file->private_data = ctx;
	return PTR_ERR_OR_ZERO(ctx);
}

static int t2_release(struct inode *inode, struct file *file)
{
	struct t2_context *ctx = file->private_data;
	struct t2_job *job;
	unsigned long id;

	xa_for_each(&ctx->jobs, id, job) {
		xa_erase(&ctx->jobs, id);
		put_job(job);
	}
	t2_context_close(ctx);
	return 0;
}

const struct file_operations t2_fops = {
	.owner = THIS_MODULE,
	.open = t2_open,
	.release = t2_release,
	.unlocked_ioctl = t2_ioctl,
};
