// SPDX-License-Identifier: LGPL-2.1
/*
 * Moving what processes have on a device to other nodes before its memory blocks go
 * off line. The kernel's offlining does that, too, but one page after the other, in
 * one thread; here each CPU takes its share, by move_pages(2). What is left, such as
 * files that nobody has mapped, and what processes allocate meanwhile, is the
 * offlining's: nothing has to be complete here, so a process that allocates as fast as
 * we move keeps nobody busy for ever. (Mapping such files here to move them was slower
 * than the offlining: the threads wait for the lock of the file.)
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "private.h"

/*
 * As much address space as one call of move_pages(2) is for. Each call asks all CPUs to
 * give up the pages they have in batches, so it should not be small; and it cannot be
 * interrupted, so it should not be large.
 */
#define PIECE (32ull << 20)

/* A pass that moves less than this was the last one, and so is the third; for less, none begins. */
#define WORTH_A_PASS (64ull << 20)
#define MAX_PASSES 3

#define MAX_JOBS 64
#define TICK_NS 100000000

struct mapping {
	pid_t pid;
	uint64_t start;
	uint64_t end;
};

/* Nodes that can take pages, the nearest to a process's CPU first. */
struct targets {
	pid_t pid;			/* 0 if not known yet */
	size_t nr;
	int node[MAX_NODES];
};

struct clearing {
	struct transition *t;
	struct range range;
	uint64_t page;
	uint64_t huge;			/* size of a huge page */
	uint64_t piece;
	struct nodes hosts;		/* that may take pages */
	int kpageflags;			/* -1 if KSM has merged no pages */

	pthread_mutex_t lock;		/* of all below */
	pthread_cond_t changed;
	struct mapping *mappings;
	size_t nr;
	size_t next;			/* mapping that the next piece is of */
	uint64_t at;			/* where it begins there */
	pid_t skip;			/* whose pages do not go anywhere */
	size_t working;			/* threads */
	bool stop;
	uint64_t moved;			/* bytes */
	uint64_t began_ns;
	uint64_t paced;			/* bytes that the rate has been kept for */
};

/* ---- what there is to move ---- */

struct collecting {
	struct clearing *clearing;
	pid_t pid;
	size_t room;
};

static int add_mapping(uint64_t start, uint64_t end, void *data)
{
	struct collecting *collecting = data;
	struct clearing *clearing = collecting->clearing;

	if (clearing->nr == collecting->room) {
		size_t room = collecting->room ? 2 * collecting->room : 1024;
		struct mapping *more = reallocarray(clearing->mappings, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		clearing->mappings = more;
		collecting->room = room;
	}
	clearing->mappings[clearing->nr++] = (struct mapping){ collecting->pid, start, end };
	return 0;
}

static int add_process(const char *name, void *data)
{
	struct collecting *collecting = data;
	uint64_t pid;

	if (parse_u64(name, 10, &pid) || !pid || pid > INT_MAX)
		return 0;
	collecting->pid = pid;
	/* It may have gone. */
	return process_each_mapping(collecting->clearing->t->ctx, pid, add_mapping, collecting) ==
	       -ENOMEM ? -ENOMEM : 0;
}

static int collect_mappings(struct clearing *clearing)
{
	struct collecting collecting = { .clearing = clearing };

	clearing->nr = clearing->next = 0;
	free(clearing->mappings);
	clearing->mappings = NULL;
	return sysfs_each(clearing->t->ctx, "proc", add_process, &collecting);
}

/*
 * Takes the next piece. Pieces are of address space, which is mostly empty in some
 * programs: then there is soon nothing to do.
 */
static bool take_piece(struct clearing *clearing, struct mapping *piece)
{
	bool found = false;

	pthread_mutex_lock(&clearing->lock);
	while (!clearing->stop && clearing->next < clearing->nr && !found) {
		const struct mapping *mapping = &clearing->mappings[clearing->next];

		if (clearing->at < mapping->start)
			clearing->at = mapping->start;
		if (mapping->pid == clearing->skip || clearing->at >= mapping->end) {
			clearing->next++;
			clearing->at = 0;
			continue;
		}
		*piece = *mapping;
		piece->start = clearing->at;
		if (piece->end - piece->start > clearing->piece)
			piece->end = piece->start + clearing->piece;
		clearing->at = piece->end;
		found = true;
	}
	pthread_mutex_unlock(&clearing->lock);
	return found;
}

/* ---- where to ---- */

static int node_of_cpu(struct cxlmem_ctx *ctx, uint64_t cpu)
{
	struct nodes nodes, cpus;
	int node;

	if (cpu >= MAX_NODES ||
	    sysfs_read_nodes(ctx, &nodes, "sys/devices/system/node/has_cpu"))
		return -1;
	for (node = 0; node < MAX_NODES; node++)
		if (nodes_has(&nodes, node) &&
		    !sysfs_read_nodes(ctx, &cpus, "sys/devices/system/node/node%d/cpulist", node) &&
		    nodes_has(&cpus, cpu))
			return node;
	return -1;
}

/* The hosts' nodes by their distance from the CPU that the process has run on. */
static void find_targets(struct clearing *clearing, pid_t pid, struct targets *targets)
{
	struct cxlmem_ctx *ctx = clearing->t->ctx;
	int distance[MAX_NODES], node;
	uint64_t cpu;
	size_t i;

	targets->pid = pid;
	targets->nr = 0;
	node_distances(ctx, process_cpu(ctx, pid, &cpu) ? -1 : node_of_cpu(ctx, cpu), distance);
	for (node = 0; node < MAX_NODES; node++) {
		if (!nodes_has(&clearing->hosts, node))
			continue;
		for (i = targets->nr++; i && distance[targets->node[i - 1]] > distance[node]; i--)
			targets->node[i] = targets->node[i - 1];
		targets->node[i] = node;
	}
}

/* ---- moving ---- */

/* What one call of move_pages(2) moves, of one process. */
struct batch {
	pid_t pid;			/* 0: of none yet */
	int pagemap;			/* of that process */
	uint64_t span;			/* bytes of address space that were looked at */
	size_t nr;
	size_t room;
	void **address;
	int *node;
	int *status;
	uint64_t bytes;
};

static bool batch_init(struct batch *batch, size_t room)
{
	batch->pid = 0;
	batch->pagemap = -1;
	batch->room = room;
	batch->address = calloc(room, sizeof(*batch->address));
	batch->node = calloc(room, sizeof(*batch->node));
	batch->status = calloc(room, sizeof(*batch->status));
	return batch->address && batch->node && batch->status;
}

static void batch_free(struct batch *batch)
{
	free(batch->address);
	free(batch->node);
	free(batch->status);
	if (batch->pagemap >= 0)
		close(batch->pagemap);
}

struct filling {
	struct clearing *clearing;
	struct batch *batch;
};

/* A huge page goes as a whole, by its first. */
static int add_page(const struct mapped_page *page, void *data)
{
	const struct filling *filling = data;
	struct clearing *clearing = filling->clearing;
	struct batch *batch = filling->batch;

	if (!in_range(&clearing->range, page->address) ||
	    (page->huge && page->address % clearing->huge))
		return 0;
	/*
	 * If KSM finds a merged page locked, as it is while it moves, it forgets until its next
	 * round who shares it, and so long nobody can move it. While memory goes off line KSM
	 * stands still, so these are left to the offlining.
	 */
	if (clearing->kpageflags >= 0 && !page->huge &&
	    page_is_merged(clearing->kpageflags, page->address))
		return 0;
	if (batch->nr == batch->room)
		return 1;
	batch->address[batch->nr++] = (void *)(uintptr_t)page->at;
	batch->bytes += page->huge ? clearing->huge : clearing->page;
	return 0;
}

/* Adds the pages of a piece that are the device's. */
static void fill_batch(struct clearing *clearing, const struct mapping *piece,
		       struct batch *batch)
{
	struct filling filling = { clearing, batch };

	batch->span += piece->end - piece->start;
	process_each_page(batch->pagemap, piece->start, piece->end, add_page, &filling);
}

/* Bytes that have gone, or -errno. The kernel ends a call early if one page does not go. */
static int64_t move_to_node(struct batch *batch, int node)
{
	size_t i, gone = 0;
	long rc;

	for (i = 0; i < batch->nr; i++) {
		batch->node[i] = node;
		batch->status[i] = -EBUSY;
	}
	rc = syscall(SYS_move_pages, batch->pid, batch->nr, batch->address, batch->node, batch->status,
		     MPOL_MF_MOVE_ALL);
	if (rc < 0)
		return -errno;
	if (rc > 0)
		gone = (size_t)rc < batch->nr ? batch->nr - rc : 0;
	for (i = 0; !rc && i < batch->nr; i++)
		gone += batch->status[i] == node;
	return batch->bytes * gone / batch->nr;
}

/* As long as it takes for the rate to be kept; or until we are to stop. */
static void keep_pace(struct clearing *clearing, uint64_t bytes)
{
	uint64_t rate = clearing->t->opt.rate, until;
	struct timespec when;

	if (!rate)
		return;
	pthread_mutex_lock(&clearing->lock);
	clearing->paced += bytes;
	until = clearing->began_ns + (uint64_t)((double)clearing->paced / rate * 1e9);
	when.tv_sec = until / 1000000000;
	when.tv_nsec = until % 1000000000;
	while (!clearing->stop && now_ns() < until)
		pthread_cond_timedwait(&clearing->changed, &clearing->lock, &when);
	pthread_mutex_unlock(&clearing->lock);
}

static void move_batch(struct clearing *clearing, struct targets *targets, struct batch *batch)
{
	int64_t moved = -ENOMEM;
	size_t i;

	if (targets->pid != batch->pid)
		find_targets(clearing, batch->pid, targets);
	for (i = 0; i < targets->nr && moved == -ENOMEM; i++)
		moved = move_to_node(batch, targets->node[i]);

	pthread_mutex_lock(&clearing->lock);
	if (moved >= 0)
		clearing->moved += moved;
	else if (moved == -ENOMEM)
		clearing->stop = true;	/* the offlining may still find room somewhere */
	else
		clearing->skip = batch->pid;	/* gone, or in a cpuset without these nodes */
	pthread_mutex_unlock(&clearing->lock);
	keep_pace(clearing, batch->bytes);
}

static bool is_stopped(struct clearing *clearing)
{
	bool stop;

	pthread_mutex_lock(&clearing->lock);
	stop = clearing->stop;
	pthread_mutex_unlock(&clearing->lock);
	return stop;
}

/* Moves what is in the batch, and makes it one for @pid. */
static void next_batch(struct clearing *clearing, struct targets *targets, struct batch *batch,
		       pid_t pid)
{
	if (batch->nr && !is_stopped(clearing))
		move_batch(clearing, targets, batch);
	batch->nr = 0;
	batch->bytes = 0;
	batch->span = 0;
	if (batch->pid == pid)
		return;
	if (batch->pagemap >= 0)
		close(batch->pagemap);
	batch->pid = pid;
	batch->pagemap = process_open_pagemap(clearing->t->ctx, pid);
}

static void *work(void *data)
{
	struct clearing *clearing = data;
	struct targets targets = { .pid = 0 };
	struct batch batch = { .nr = 0 };
	struct mapping piece;

	if (batch_init(&batch, clearing->piece / clearing->page)) {
		while (take_piece(clearing, &piece)) {
			if (piece.pid != batch.pid ||
			    batch.span + (piece.end - piece.start) > clearing->piece)
				next_batch(clearing, &targets, &batch, piece.pid);
			if (batch.pagemap >= 0)
				fill_batch(clearing, &piece, &batch);
		}
		next_batch(clearing, &targets, &batch, batch.pid);
	}
	batch_free(&batch);
	pthread_mutex_lock(&clearing->lock);
	clearing->working--;
	pthread_cond_broadcast(&clearing->changed);
	pthread_mutex_unlock(&clearing->lock);
	return NULL;
}

/* ---- the threads, and who waits for them ---- */

/* Tells how far it is until all threads have ended. 0, or -EINTR if the caller said stop. */
static int watch(struct clearing *clearing)
{
	struct transition *t = clearing->t;
	int rc = 0;

	pthread_mutex_lock(&clearing->lock);
	while (clearing->working) {
		uint64_t tick = now_ns() + TICK_NS;
		struct timespec when = { tick / 1000000000, tick % 1000000000 };
		bool stop;

		pthread_cond_timedwait(&clearing->changed, &clearing->lock, &when);
		t->done = clearing->moved;
		pthread_mutex_unlock(&clearing->lock);
		stop = event_progress(t, "moving data to other nodes", t->done, t->total);
		pthread_mutex_lock(&clearing->lock);
		if (!stop)
			continue;
		rc = -EINTR;
		clearing->stop = true;
		pthread_cond_broadcast(&clearing->changed);
	}
	pthread_mutex_unlock(&clearing->lock);
	return rc;
}

/* Signals are for the threads of the program, which do not expect these here. */
static int start_thread(struct clearing *clearing, pthread_t *thread)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, NULL, work, clearing);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int pass(struct clearing *clearing, size_t jobs)
{
	pthread_t threads[MAX_JOBS];
	size_t i, nr;
	int rc = collect_mappings(clearing);

	/* Then the offlining does it all. */
	if (rc)
		return 0;
	clearing->working = jobs;
	for (nr = 0; nr < jobs; nr++)
		if (start_thread(clearing, &threads[nr]))
			break;
	pthread_mutex_lock(&clearing->lock);
	clearing->working -= jobs - nr;
	pthread_mutex_unlock(&clearing->lock);
	rc = watch(clearing);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	return rc;
}

/* For a pass to be worth it: by then the offlining is done with less. */
static bool has_enough(const struct transition *t)
{
	int64_t used = cxlmem_device_get_used(t->dev);

	return used < 0 || used >= (int64_t)WORTH_A_PASS;
}

static int all_passes(struct clearing *clearing, size_t jobs)
{
	uint64_t before;
	int i, rc = 0;

	for (i = 0; i < MAX_PASSES && !rc && !clearing->stop; i++) {
		before = clearing->moved;
		rc = pass(clearing, jobs);
		if (clearing->moved - before < WORTH_A_PASS || !has_enough(clearing->t))
			break;
	}
	return rc;
}

static void init(struct clearing *clearing, struct transition *t)
{
	uint64_t huge, merged = 0;
	pthread_condattr_t clock;

	*clearing = (struct clearing){
		.t = t,
		.range = t->dev->usable,
		.page = sysconf(_SC_PAGESIZE),
		.huge = 2 << 20,
		.piece = PIECE,
		.kpageflags = -1,
		.began_ns = now_ns(),
	};
	if (!sysfs_read_number(t->ctx, &huge, "sys/kernel/mm/transparent_hugepage/hpage_pmd_size") &&
	    huge >= clearing->page && !(huge & (huge - 1)))
		clearing->huge = huge;
	if (!sysfs_read_number(t->ctx, &merged, "sys/kernel/mm/ksm/pages_shared") && merged)
		clearing->kpageflags = pages_open(t->ctx);
	/* So that a tenth of a second is the longest rush. */
	if (t->opt.rate && t->opt.rate / 10 < PIECE)
		clearing->piece = t->opt.rate / 10 / clearing->huge * clearing->huge;
	if (clearing->piece < clearing->huge)
		clearing->piece = clearing->huge;
	pthread_mutex_init(&clearing->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&clearing->changed, &clock);
	pthread_condattr_destroy(&clock);
}

size_t clear_jobs(const struct transition *t)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t jobs = t->opt.jobs ? t->opt.jobs : cpus > 0 ? (size_t)cpus : 1;

	return jobs < MAX_JOBS ? jobs : MAX_JOBS;
}

/*
 * The kernel's offlining is a match for one of us, and is done with a little before
 * the page tables of all processes have been looked at.
 */
static bool is_worth_it(const struct transition *t)
{
	if (t->opt.rate || t->opt.to != CXLMEM_KEEP || t->opt.jobs > 1)
		return true;
	return clear_jobs(t) > 1 && has_enough(t);
}

int clear_of_processes(struct transition *t)
{
	size_t jobs = clear_jobs(t);
	struct clearing clearing;
	int rc;

	if (t->dev->node < 0 || t->ctx->fake || !is_worth_it(t))
		return 0;
	init(&clearing, t);
	rc = node_hosts(t->ctx, &clearing.hosts);
	if (t->opt.to != CXLMEM_KEEP) {
		memset(&clearing.hosts, 0, sizeof(clearing.hosts));
		clearing.hosts.bits[t->opt.to / 64] = 1ull << t->opt.to % 64;
		rc = 0;
	}
	t->done = 0;
	t->total = cxlmem_device_get_used(t->dev) > 0 ? cxlmem_device_get_used(t->dev) : 0;
	if (!rc)
		rc = all_passes(&clearing, jobs);
	else
		rc = 0;
	if (clearing.kpageflags >= 0)
		close(clearing.kpageflags);
	free(clearing.mappings);
	pthread_cond_destroy(&clearing.changed);
	pthread_mutex_destroy(&clearing.lock);
	return rc ? fail(t->ctx, -rc, "%s: stopped", t->dev->name) : 0;
}
