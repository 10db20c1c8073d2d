// SPDX-License-Identifier: GPL-2.0
/*
 * Work on a long range, piece by piece, by several threads: the caller, who can
 * be interrupted, and helpers as far as there are any to spare. Nobody waits for
 * a helper that has not begun, so that no request depends on another one's.
 */
#include <linux/cleanup.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"

#define MAX_HELPERS 7

static unsigned int workers;
module_param(workers, uint, 0644);
MODULE_PARM_DESC(workers, "threads that move the pages of one request, at most 8 (default 0: a thread for each CPU, but no more than 4)");

static struct workqueue_struct *helpers_queue;

struct helper {
	struct work_struct work;
	struct cxlmem_job *job;
};

static void stop(struct cxlmem_job *job, int error)
{
	cmpxchg(&job->error, 0, error);
}

/* A piece that was not worked on is where the work that is done ends. */
static void leave_undone(struct cxlmem_job *job, s64 at)
{
	s64 undone = atomic64_read(&job->undone);

	while (at < undone && !atomic64_try_cmpxchg(&job->undone, &undone, at))
		;
}

static void work_on(struct cxlmem_job *job, struct cxlmem_batch *batch, bool is_caller)
{
	u64 at;
	int rc;

	while (!READ_ONCE(job->error)) {
		if (is_caller && job->interruptible && signal_pending(current)) {
			stop(job, -EINTR);
			break;
		}
		at = atomic64_fetch_add(job->stride, &job->next);
		if (at >= job->end)
			break;
		rc = job->step(job, at, batch);
		if (rc) {
			stop(job, rc);
			if (rc != -ENOSPC && rc != -EDQUOT)
				leave_undone(job, at);
		}
		cond_resched();
	}
	if (job->finish)
		job->finish(job, batch);
}

static void help(struct work_struct *work)
{
	struct helper *helper = container_of(work, struct helper, work);
	struct cxlmem_batch *batch __free(kvfree) = kvmalloc(sizeof(*batch), GFP_KERNEL);

	if (batch) {
		memset(&batch->counts, 0, sizeof(batch->counts));
		work_on(helper->job, batch, false);
	}
}

static unsigned int nr_helpers(const struct cxlmem_job *job)
{
	u64 pieces = DIV_ROUND_UP_ULL(job->end - atomic64_read(&job->next), job->stride);
	unsigned int threads = READ_ONCE(workers) ?: min(num_online_cpus(), 4u);

	/* A helper costs something, so each gets a few pieces at least. */
	return min3(threads - 1, MAX_HELPERS, (unsigned int)min(pieces / 4, MAX_HELPERS));
}

/* Returns the first error. &cxlmem_job.next is how far it came, afterwards. */
int cxlmem_work(struct cxlmem_job *job)
{
	struct cxlmem_batch *batch __free(kvfree) = kvmalloc(sizeof(*batch), GFP_KERNEL);
	struct helper helpers[MAX_HELPERS];
	unsigned int i, n = nr_helpers(job);

	if (!batch)
		return -ENOMEM;
	memset(&batch->counts, 0, sizeof(batch->counts));
	atomic64_set(&job->undone, job->end);
	job->error = 0;
	for (i = 0; i < n; i++) {
		helpers[i].job = job;
		INIT_WORK_ONSTACK(&helpers[i].work, help);
		queue_work(helpers_queue, &helpers[i].work);
	}
	work_on(job, batch, true);
	for (i = 0; i < n; i++) {
		cancel_work_sync(&helpers[i].work);
		destroy_work_on_stack(&helpers[i].work);
	}
	atomic64_set(&job->next, min(atomic64_read(&job->next), atomic64_read(&job->undone)));
	return job->error;
}

/* For a step that has seen that there is nothing to do before @to. */
void cxlmem_work_skip(struct cxlmem_job *job, u64 to)
{
	s64 next = atomic64_read(&job->next);

	while ((u64)next < to && !atomic64_try_cmpxchg(&job->next, &next, to))
		;
}

int __init cxlmem_work_init(void)
{
	helpers_queue = alloc_workqueue("cxlmem", WQ_UNBOUND, 0);
	return helpers_queue ? 0 : -ENOMEM;
}

void cxlmem_work_exit(void)
{
	destroy_workqueue(helpers_queue);
}
