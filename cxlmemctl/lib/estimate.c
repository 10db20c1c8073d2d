// SPDX-License-Identifier: LGPL-2.1
/*
 * About how long it takes to move what is on a device. The work is copying, so a little
 * memory is copied to see how fast that is here; of the device's own node, if it has room.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "private.h"

#define SAMPLE (16ul << 20)

/*
 * Tenths of the time that copying alone takes: what is paid for each page besides. As
 * tests/bench/evacuate.sh has it, with one thread.
 */
#define SMALL_COST	40
#define HUGE_COST	14

/* How much faster two threads are than one, in tenths. More than two were not measured. */
#define TWO_THREADS	17

/* Nanoseconds that it takes to copy the sample, 0 if that cannot be told. */
static uint64_t copy_sample(int node)
{
	unsigned long nodes[MAX_NODES / (8 * sizeof(long))] = { 0 };
	const size_t bits = 8 * sizeof(*nodes);
	uint64_t began, took;
	char *memory;

	memory = mmap(NULL, 2 * SAMPLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 0;
	/* On a full node it is other memory that is copied, which is better than no figure. */
	nodes[node / bits] |= 1ul << node % bits;
	syscall(SYS_mbind, memory, SAMPLE, MPOL_PREFERRED, nodes, MAX_NODES + 1, 0);
	memset(memory, 1, SAMPLE);
	/* The first time each page of the target is made. */
	memcpy(memory + SAMPLE, memory, SAMPLE);
	began = now_ns();
	memcpy(memory + SAMPLE, memory, SAMPLE);
	took = now_ns() - began;
	munmap(memory, 2 * SAMPLE);
	return took;
}

uint64_t estimate_seconds(const struct transition *t, const struct pages *pages)
{
	double copy = t->dev->node >= 0 ? copy_sample(t->dev->node) : 0, seconds;
	uint64_t small = pages->in_use - pages->huge;

	seconds = copy / SAMPLE / 1e9 / 10 * ((double)small * SMALL_COST + (double)pages->huge * HUGE_COST);
	if (clear_jobs(t) > 1)
		seconds = seconds * 10 / TWO_THREADS;
	if (t->opt.rate && seconds < (double)pages->in_use / t->opt.rate)
		seconds = (double)pages->in_use / t->opt.rate;
	return ((uint64_t)(seconds * 1000) + 500) / 1000;
}
