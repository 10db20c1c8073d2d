// SPDX-License-Identifier: GPL-2.0
/*
 * The engine copies pages for cxlmem, so that the CPUs need not. Its queue for that has
 * no jobs in it, and no addresses that could fault: a copy waits for nothing.
 */
#include <linux/cleanup.h>
#include <linux/iopoll.h>
#include <linux/mm.h>

#include "sample.h"

/* A page full of list at a time. */
#define MAX_SEGMENTS (PAGE_SIZE / sizeof(struct t2_segment))

static int copy_listed(struct t2_device *dev, unsigned int n)
{
	struct t2_queue *q = &dev->queues[QUEUE_COPY];
	struct t2_completion *done = &q->done[q->taken % ENTRIES];
	u32 seq;

	q->ring[q->given++ % ENTRIES] = (struct t2_command) {
		.op = T2_OP_COPY,
		.flags = T2_SRC_LIST | T2_DST_LIST,
		.dst = virt_to_phys(dev->to),
		.src = virt_to_phys(dev->from),
		.dst_count = n,
		.src_count = n,
		.length = n * PAGE_SIZE,
	};
	t2_write(dev, T2_QUEUE(QUEUE_COPY) + T2_QUEUE_GIVEN, q->given);
	if (read_poll_timeout(READ_ONCE, seq, seq == q->taken + 1, 20, ANSWER_US, false,
			      done->seq)) {
		/* The pages are somebody else's in a moment: it must not go on later. */
		guard(mutex)(&dev->tables_lock);
		t2_stop(dev);
		return -EIO;
	}
	t2_write(dev, T2_QUEUE(QUEUE_COPY) + T2_QUEUE_TAKEN, ++q->taken);
	return done->status == T2_OK ? 0 : -EIO;
}

/* Called with locks held that page reclaim needs: nothing is allocated. */
int t2_copy(void *drvdata, const struct cxlmem_copy *pages, unsigned int n)
{
	struct t2_device *dev = drvdata;
	unsigned int i, some, copied;
	int rc;

	guard(mutex)(&dev->copy_lock);
	for (copied = 0; copied < n; copied += some) {
		if (dev->paused || READ_ONCE(dev->stopped))
			return -EBUSY;
		some = min(n - copied, MAX_SEGMENTS);
		for (i = 0; i < some; i++) {
			dev->to[i].address = page_to_phys(pages[copied + i].to);
			dev->from[i].address = page_to_phys(pages[copied + i].from);
			dev->to[i].length = PAGE_SIZE;
			dev->from[i].length = PAGE_SIZE;
		}
		rc = copy_listed(dev, some);
		if (rc)
			return rc;
	}
	dev->copied += n;
	return 0;
}
