/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the sample driver share. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <linux/cxlmem.h>
#include <linux/cxlmem_hdm.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "t2accel.h"
#include "t2sample.h"

/* Entries of every ring. */
#define ENTRIES		64

/* The engine's queues: a page fault stops one of them, and no other. */
enum {
	QUEUE_VIRTUAL,		/* jobs by address of their process */
	QUEUE_LOCKED,		/* jobs with locked memory */
	QUEUE_COPY,		/* the driver's own copies */
	NR_QUEUES,
	NR_JOB_QUEUES = QUEUE_COPY,
};

/* Pages of memory are asked for by the device, and moved, in units of this. */
#define HOT_SHIFT	16
#define HOT_UNIT	BIT(HOT_SHIFT)

/* How long the engine may take for an answer, before it counts as broken. */
#define ANSWER_US	(5 * USEC_PER_SEC)

struct t2_job;

/**
 * struct t2_queue - a queue of the engine
 * @ring: commands
 * @done: completions
 * @given: commands put in so far
 * @taken: completions taken out so far
 * @jobs: whose the commands are
 * @free: entries that nobody has reserved
 */
struct t2_queue {
	struct t2_command *ring;
	struct t2_completion *done;
	u32 given;
	u32 taken;
	struct t2_job *jobs[ENTRIES];
	unsigned int free;
};

/**
 * struct t2_device - a card
 * @ref: held by the driver and by each open file
 * @pdev: the function
 * @regs: BAR 2, as long as the function is bound
 * @hdm: its decoder
 * @cdev: its memory at cxlmem
 * @misc: /dev/t2sampleN
 * @number: N
 * @gate: where submitters wait; its lock guards @queues' free entries, @locked,
 *	  @blocked, @quiesced and @closed
 * @locked: pages that jobs have locked
 * @blocked: how often somebody had to wait since that was too much
 * @quiesced: a mode switch is under way, during which no job may lock memory
 * @closed: the error for who comes now, or 0
 * @jobs_lock: guards @queues, but for what @gate does
 * @queues: the engine's
 * @copy_lock: guards @paused and the queue for copies with its lists
 * @paused: the engine is not to be used
 * @to: list of pages to copy to
 * @from: list of pages to copy from
 * @copied: pages that the engine has copied
 * @tables_lock: guards all page tables, the invalidation registers and @stopped; taken
 *		 while the kernel reclaims memory, so nothing is allocated under it
 * @stopped: the engine touches no memory any more, now and until the next probe
 * @pasids: the root tables' addresses, as the engine wants them
 * @contexts: who has which PASID
 * @faults: the fault ring
 * @faults_taken: what was taken out of it
 * @hot: the ring of hot pages
 * @hot_taken: what was taken out of it
 * @hot_work: moves hot pages
 * @fail_work: ends the jobs of an engine that had to be stopped
 */
struct t2_device {
	struct kref ref;
	struct pci_dev *pdev;
	void __iomem *regs;
	struct cxlmem_hdm hdm;
	struct cxlmem_device *cdev;
	struct miscdevice misc;
	int number;

	wait_queue_head_t gate;
	unsigned long locked;
	u64 blocked;
	bool quiesced;
	int closed;

	struct mutex jobs_lock;
	struct t2_queue queues[NR_QUEUES];

	struct mutex copy_lock;
	bool paused;
	struct t2_segment *to;
	struct t2_segment *from;
	u64 copied;

	struct mutex tables_lock;
	bool stopped;
	__le64 *pasids;
	struct xarray contexts;
	struct t2_fault *faults;
	u32 faults_taken;
	struct t2_hot *hot;
	u32 hot_taken;
	struct work_struct hot_work;
	struct work_struct fail_work;
};

/* A unit of memory that was moved to the device, see moved_lately(). */
struct t2_move {
	u64 unit;
	unsigned long at;
	unsigned int rounds;
};

#define NR_MOVES	256

/**
 * struct t2_context - an open file: an address space that the engine works on
 * @ref: held by the file, by its jobs, and by who serves the engine for it
 * @dev: the card
 * @notifier: tells when a translation is not true any more; has the address space
 * @cred: of who opened the file, for the quota on the device's memory
 * @pasid: its number
 * @root: the page table
 * @closing: the file is closed
 * @jobs: those that were not waited for
 * @moves: units that were moved lately
 * @stats: guarded by nothing: each is counted by one thread only
 */
struct t2_context {
	struct kref ref;
	struct t2_device *dev;
	struct mmu_interval_notifier notifier;
	const struct cred *cred;
	u32 pasid;
	__le64 *root;
	bool closing;
	struct xarray jobs;
	struct t2_move moves[NR_MOVES];
	struct t2s_stats stats;
};

static inline u32 t2_read(struct t2_device *dev, u32 reg)
{
	return readl(dev->regs + reg);
}

static inline void t2_write(struct t2_device *dev, u32 reg, u32 value)
{
	writel(value, dev->regs + reg);
}

static inline void t2_write64(struct t2_device *dev, u32 reg, u64 value)
{
	writeq(value, dev->regs + reg);
}

/* device.c */
void t2_device_put(struct t2_device *dev);
void t2_stop(struct t2_device *dev);

/* copy.c */
int t2_copy(void *drvdata, const struct cxlmem_copy *pages, unsigned int n);

/* mirror.c */
struct t2_context *t2_context_create(struct t2_device *dev, struct mm_struct *mm);
void t2_context_close(struct t2_context *ctx);
void t2_context_put(struct t2_context *ctx);
void t2_serve_faults(struct t2_device *dev);
void t2_serve_hot(struct t2_device *dev);

/* jobs.c */
extern const struct file_operations t2_fops;
void t2_take_completions(struct t2_device *dev, unsigned int queue);
void t2_close_gate(struct t2_device *dev, int error);
void t2_abort_jobs(struct t2_device *dev);
void t2_fail_jobs(struct t2_device *dev);

#endif /* SAMPLE_H */
