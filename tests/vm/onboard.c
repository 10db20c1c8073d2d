// SPDX-License-Identifier: GPL-2.0
/*
 * Puts memory of its own on the device of /dev/cxlmem0, in mode "driver", and sees
 * to it that the contents are right, and that pages are where they are said to be.
 *
 *	onboard info		what CXLMEM_IOC_INFO says, as "key=value" words
 *	onboard hold [OPTION...] MIB
 *				fills that much memory, moves it in, prints "ready"
 *				and what the kernel counted; on SIGUSR1 it checks the
 *				memory and prints "intact" or "CORRUPT", on SIGUSR2
 *				it prints where its pages are
 *		-s small pages, -h huge pages, -c creates the pages in place
 *		-w keeps checking and rewriting the memory meanwhile
 *		-m lets KSM look for pages to merge
 *		-n goes on if it cannot be moved, or not all of it
 *		-p pins that many of its pages in a pipe, then moves the rest
 *	onboard churn SECONDS [SEED]
 *				moves parts of its memory in and out at random, creates,
 *				drops and forks, and checks all that it wrote
 *	onboard fuzz SECONDS [SEED]
 *				requests with arguments at random
 *	onboard CASE		one of the cases below; fails with a message
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../driver/include/uapi/linux/cxlmem.h"

#define PAGE 4096ul
#define HUGE (2ul << 20)
#define WORDS (PAGE / sizeof(uint64_t))
#define SYS "/sys/class/cxlmem/cxlmem0/"

static int device = -1;

#define fail(...) errx(1, __VA_ARGS__)
#define check(condition, ...) do { if (!(condition)) fail(__VA_ARGS__); } while (0)

static void *zeroed(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (!memory)
		err(1, "calloc");
	return memory;
}

static uint64_t attribute(const char *name)
{
	char path[128], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), SYS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "%s", path);
	close(fd);
	return strtoull(text, NULL, 0);
}

static uint64_t word(size_t page, size_t i, uint32_t generation)
{
	return (page * WORDS + i + 1) * 0x9e3779b97f4a7c15ull ^ generation;
}

static void write_page(uint64_t *memory, size_t page, uint32_t generation)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		memory[page * WORDS + i] = word(page, i, generation);
}

static bool page_is(const uint64_t *memory, size_t page, uint32_t generation)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (memory[page * WORDS + i] != word(page, i, generation)) {
			printf("CORRUPT page %zu word %zu: %#llx\n", page, i,
			       (unsigned long long)memory[page * WORDS + i]);
			fflush(stdout);
			return false;
		}
	return true;
}

static void write_all(void *memory, size_t pages, uint32_t generation)
{
	size_t page;

	for (page = 0; page < pages; page++)
		write_page(memory, page, generation);
}

static void check_all(const void *memory, size_t pages, uint32_t generation, const char *when)
{
	size_t page;

	for (page = 0; page < pages; page++)
		check(page_is(memory, page, generation), "wrong contents %s", when);
}

static bool all_zero(const void *memory, size_t size)
{
	const uint64_t *words = memory;
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

/* Memory aligned to a huge page, with small or huge pages, or whatever comes. */
static void *map(size_t size, int advice)
{
	char *memory = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (memory == MAP_FAILED)
		err(1, "mmap");
	before = -(uintptr_t)memory & (HUGE - 1);
	if (before)
		munmap(memory, before);
	munmap(memory + before + size, HUGE - before);
	memory += before;
	if (advice && madvise(memory, size, advice))
		err(1, "madvise");
	return memory;
}

static int request(unsigned long what, void *memory, size_t size, struct cxlmem_move *move)
{
	*move = (struct cxlmem_move) {
		.size = sizeof(*move),
		.start = (uintptr_t)memory,
		.length = size,
	};
	return ioctl(device, what, move) ? errno : 0;
}

/* Not "already", in which who waits for "ready" finds it. */
static void print_counts(const struct cxlmem_move *move)
{
	const struct cxlmem_counts *c = &move->counts;

	printf("done=%llu moved=%llu created=%llu there=%llu empty=%llu absent=%llu host=%llu busy=%llu file=%llu special=%llu unmapped=%llu no_room=%llu split=%llu evicted=%llu\n",
	       move->done >> 12, c->moved, c->created, c->already, c->empty, c->absent, c->host,
	       c->busy, c->file, c->special, c->unmapped, c->no_room, c->split, c->evicted);
	fflush(stdout);
}

/* All that was asked for has come true for these many pages. */
static void must(unsigned long what, void *memory, size_t pages, const __u64 *count,
		 struct cxlmem_move *move, const char *name)
{
	int error = request(what, memory, pages * PAGE, move);

	if (error || move->done != pages * PAGE || *count != pages) {
		print_counts(move);
		fail("%s of %zu pages: %s", name, pages, strerror(error));
	}
}

static void move_in(void *memory, size_t pages)
{
	struct cxlmem_move move;

	must(CXLMEM_IOC_MOVE_IN, memory, pages, &move.counts.moved, &move, "move in");
}

static void move_out(void *memory, size_t pages)
{
	struct cxlmem_move move;

	must(CXLMEM_IOC_MOVE_OUT, memory, pages, &move.counts.moved, &move, "move out");
}

static void create(void *memory, size_t pages)
{
	struct cxlmem_move move;

	must(CXLMEM_IOC_CREATE, memory, pages, &move.counts.created, &move, "create");
}

static struct cxlmem_residency residency(void *memory, size_t pages, uint8_t *vector)
{
	struct cxlmem_residency r = {
		.size = sizeof(r),
		.start = (uintptr_t)memory,
		.length = pages * PAGE,
		.vector = (uintptr_t)vector,
	};

	if (ioctl(device, CXLMEM_IOC_RESIDENCY, &r))
		err(1, "residency");
	check(r.done == pages * PAGE, "residency of %llu of %lu bytes", r.done, pages * PAGE);
	check(r.none + r.host + r.device + r.other == pages, "residency has lost pages");
	return r;
}

static size_t on_device(void *memory, size_t pages)
{
	return residency(memory, pages, NULL).device;
}

static void read_pagemap(int pagemap, const void *memory, uint64_t *entries, size_t pages)
{
	if (pread(pagemap, entries, pages * 8, (uintptr_t)memory / PAGE * 8) != (ssize_t)pages * 8)
		err(1, "pagemap");
}

/*
 * Page by page, against what the kernel tells root about any process's pages. A page
 * that it is moving just now, such as for compaction, is nowhere for that moment, to
 * one of the two or to both: that one is looked at again.
 */
static void check_residency(void *memory, size_t pages)
{
	uint64_t first = attribute("start") / PAGE, last = first + attribute("size") / PAGE - 1;
	uint64_t *entries = zeroed(pages, sizeof(*entries));
	uint8_t *vector = zeroed(pages, 1);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	size_t page;

	memset(vector, 0xff, pages);
	residency(memory, pages, vector);
	read_pagemap(pagemap, memory, entries, pages);
	for (page = 0; page < pages; page++) {
		void *at = (char *)memory + page * PAGE;
		unsigned int looks;
		uint8_t place;

		for (looks = 1; ; looks++) {
			uint64_t pfn = entries[page] & ((1ull << 55) - 1);
			bool present = entries[page] >> 63;
			bool there = present && pfn >= first && pfn <= last;

			place = !present ? CXLMEM_PAGE_NONE :
				there ? CXLMEM_PAGE_DEVICE : CXLMEM_PAGE_HOST;
			if (vector[page] == place || looks == 100 ||
			    (vector[page] != CXLMEM_PAGE_NONE && present))
				break;
			usleep(1000);
			residency(at, 1, &vector[page]);
			read_pagemap(pagemap, at, &entries[page], 1);
		}
		check(vector[page] == place, "page %zu: residency %u, but by pagemap it is %u",
		      page, vector[page], place);
	}
	close(pagemap);
	free(entries);
	free(vector);
}

/* The device is in use by nobody else, so what is gone is free. */
static void check_used(uint64_t pages, const char *when)
{
	uint64_t used = attribute("pages/used") / PAGE;

	check(used == pages, "%llu pages are in use %s, not %llu", (unsigned long long)used, when,
	      (unsigned long long)pages);
}

/* --- the program that holds memory */

static volatile sig_atomic_t asked, asked_where;
static void ask(int signal) { *(signal == SIGUSR1 ? &asked : &asked_where) = 1; }

static void pin(void *memory, size_t pages)
{
	struct iovec part = { .iov_base = memory, .iov_len = pages * PAGE };
	static int ends[2];

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, pages * PAGE) < 0 ||
	    vmsplice(ends[1], &part, 1, 0) != (ssize_t)(pages * PAGE))
		err(1, "pin");
}

static int hold(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask };
	bool rewrite = false, in_place = false, lenient = false, mergeable = false;
	size_t pages, page, pinned = 0;
	int option, advice = 0, error;
	struct cxlmem_residency r;
	struct cxlmem_move move;
	uint32_t *generations;
	sigset_t set, old;
	void *memory;

	while ((option = getopt(argc, argv, "shcwnmp:")) != -1) {
		switch (option) {
		case 's': advice = MADV_NOHUGEPAGE; break;
		case 'h': advice = MADV_HUGEPAGE; break;
		case 'c': in_place = true; break;
		case 'w': rewrite = true; break;
		case 'n': lenient = true; break;
		case 'm': mergeable = true; break;
		case 'p': pinned = atoi(optarg); break;
		default: return 2;
		}
	}
	pages = optind < argc ? strtoul(argv[optind], NULL, 10) << 8 : 0;
	if (!pages)
		errx(2, "how much?");
	memory = map(pages * PAGE, advice);
	generations = zeroed(pages, sizeof(*generations));
	if (mergeable && madvise(memory, pages * PAGE, MADV_MERGEABLE))
		err(1, "MADV_MERGEABLE");

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);

	if (!in_place)
		write_all(memory, pages, 0);
	error = request(in_place ? CXLMEM_IOC_CREATE : CXLMEM_IOC_MOVE_IN, memory, pages * PAGE,
			&move);
	printf("error=%s ", error ? strerrorname_np(error) : "0");
	print_counts(&move);
	if (!lenient && (error || move.counts.moved + move.counts.created != pages))
		exit(1);
	if (in_place)
		write_all(memory, pages, 0);
	if (pinned)
		pin(memory, pinned);
	printf("%d ready\n", getpid());
	fflush(stdout);

	if (rewrite)
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (page = 0;; page = (page + 1) % pages) {
		if (asked) {
			size_t i;

			asked = 0;
			for (i = 0; i < pages; i++)
				check(page_is(memory, i, generations[i]), "page %zu is corrupt", i);
			printf("intact\n");
			fflush(stdout);
		} else if (asked_where) {
			asked_where = 0;
			r = residency(memory, pages, NULL);
			printf("device=%llu host=%llu none=%llu other=%llu\n", r.device, r.host,
			       r.none, r.other);
			fflush(stdout);
		} else if (rewrite) {
			check(page_is(memory, page, generations[page]), "page %zu is corrupt", page);
			write_page(memory, page, ++generations[page]);
		} else {
			sigsuspend(&old);
		}
	}
}

static int info(void)
{
	struct cxlmem_info i = { .size = sizeof(i) };

	if (ioctl(device, CXLMEM_IOC_INFO, &i))
		err(1, "info");
	printf("flags=%u capacity=%llu used=%llu quota=%llu user_used=%llu page_size=%u huge_size=%u\n",
	       i.flags, i.capacity, i.used, i.quota, i.user_used, i.page_size, i.huge_size);
	return 0;
}

/* --- at random */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static uint64_t state;

static uint64_t random_number(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* What is refused for the moment: no room, another mode, the device gone. */
static bool may_fail(int error)
{
	return !error || error == ENOSPC || error == EDQUOT || error == EBUSY || error == ENODEV;
}

#define CHURN 2048

static int churn(int argc, char **argv)
{
	double end = seconds() + (argc > 1 ? atoi(argv[1]) : 10);
	uint32_t *generations = zeroed(CHURN, sizeof(*generations));	/* 0: zeroes */
	char *memory = map(CHURN * PAGE, 0);
	unsigned long long moved = 0, rounds;
	struct cxlmem_move move;

	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 2654435761u + getpid();
	for (rounds = 0; seconds() < end; rounds++) {
		size_t first = random_number(CHURN), n = 1 + random_number(CHURN - first), i;
		char *part = memory + first * PAGE;
		int error = 0, status;
		pid_t pid;

		switch (random_number(8)) {
		case 0:
		case 1:
			error = request(CXLMEM_IOC_MOVE_IN, part, n * PAGE, &move);
			moved += move.counts.moved;
			break;
		case 2:
			error = request(CXLMEM_IOC_MOVE_OUT, part, n * PAGE, &move);
			moved += move.counts.moved;
			break;
		case 3:
			error = request(CXLMEM_IOC_CREATE, part, n * PAGE, &move);
			moved += move.counts.created;
			break;
		case 4:
			for (i = first; i < first + n; i++)
				write_page((uint64_t *)memory, i, generations[i] = 1 + random_number(1 << 30));
			break;
		case 5:
			check(!madvise(part, n * PAGE, MADV_DONTNEED), "madvise");
			memset(&generations[first], 0, n * sizeof(*generations));
			break;
		case 6:
			check(!madvise(memory, CHURN * PAGE, random_number(2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE),
			      "madvise");
			break;
		default:
			pid = fork();
			if (!pid) {
				memset(part, 0x55, n * PAGE);
				request(CXLMEM_IOC_MOVE_OUT, part, n * PAGE, &move);
				_exit(0);
			}
			memset(part, 0, PAGE);
			generations[first] = 0;
			check(pid < 0 || waitpid(pid, &status, 0) == pid, "wait");
		}
		check(may_fail(error), "%s", strerror(error));
		for (i = 0; i < CHURN; i++)
			check(generations[i] ? page_is((uint64_t *)memory, i, generations[i]) :
			      all_zero(memory + i * PAGE, PAGE), "round %llu: page %zu is wrong", rounds, i);
	}
	printf("%llu rounds, %llu pages moved or created\n", rounds, moved);
	check(moved, "nothing has been moved");
	return 0;
}

static uint64_t odd_number(const void *memory)
{
	static const uint64_t odd[] = { 0, 1, 4095, 4096, 2 << 20, 1ul << 30, 1ul << 46,
		(1ul << 47) - 4096, 1ul << 47, 1ul << 63, -1ul, -4096ul, 0xffffffff81000000 };

	switch (random_number(4)) {
	case 0: return odd[random_number(sizeof(odd) / sizeof(*odd))];
	case 1: return (uintptr_t)memory + random_number(3000) * PAGE;
	case 2: return random_number(3000) * PAGE;
	default: return random_number(UINT64_MAX) >> random_number(64);
	}
}

static int fuzz(int argc, char **argv)
{
	static const size_t sizes[] = { 0, sizeof(struct cxlmem_info), sizeof(struct cxlmem_move),
		sizeof(struct cxlmem_move), sizeof(struct cxlmem_move), sizeof(struct cxlmem_residency) };
	double end = seconds() + (argc > 1 ? atoi(argv[1]) : 10);
	char *memory = map(2048 * PAGE, 0);
	unsigned long long requests, fine = 0;
	uint64_t words[64];
	uint32_t size;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	write_all(memory, 512, 13);
	for (requests = 0; seconds() < end; requests++) {
		unsigned int number = random_number(16) ? 1 + random_number(5) : random_number(256);
		unsigned long command = _IOC(random_number(32) ? 3 : random_number(4), CXLMEM_IOC_MAGIC,
					     number, random_number(1 << 13));
		size_t i;

		memset(words, 0, sizeof(words));
		for (i = 1; i < 4; i++)
			words[i] = random_number(2) ? (uintptr_t)memory + random_number(512) * PAGE :
						      odd_number(memory);
		if (random_number(2))
			words[2] = random_number(2048) * PAGE;
		if (number != 5 || random_number(2))
			words[3] = 0;
		size = number < 6 && random_number(8) ? sizes[number] : odd_number(memory);
		memcpy(words, &size, sizeof(size));
		for (i = random_number(8) ? 0 : 1; i && i < 64; i += 1 + random_number(64))
			words[i] = odd_number(memory);
		/* A vector may be written to, but not over what is checked, or is ours. */
		if (number == 5 && words[3]) {
			words[2] &= (1ul << 33) - 1;
			if (words[3] < 1ul << 47)
				words[3] = (uintptr_t)memory + 1024 * PAGE;
		}
		/* A long range is gone through until a signal comes. */
		alarm(1);
		fine += !ioctl(device, command, random_number(32) ? (void *)words : (void *)odd_number(memory));
		alarm(0);
	}
	check_all(memory, 512, 13, "after garbage");
	printf("%llu requests, %llu of them fine\n", requests, fine);
	check(fine, "none was fine");
	return 0;
}

static void nothing(int signal) { (void)signal; }

/* --- cases */

/* In and out, as much as fits into nine tenths of the device. */
static void round_trip(int advice)
{
	size_t pages = attribute("pages/capacity") / PAGE / 10 * 9 & ~511ul;
	void *memory = map(pages * PAGE, advice);
	double began;

	write_all(memory, pages, 1);
	check(!on_device(memory, pages), "pages are on the device before anything was done");
	began = seconds();
	move_in(memory, pages);
	printf("# %zu MiB in: %.2f s\n", pages >> 8, seconds() - began);
	check(on_device(memory, pages) == pages, "not all pages are on the device");
	check_residency(memory, pages);
	check_used(pages, "after moving in");
	check_all(memory, pages, 1, "on the device");
	write_all(memory, pages, 2);
	check(on_device(memory, pages) == pages, "writing took pages off the device");
	began = seconds();
	move_out(memory, pages);
	printf("# %zu MiB out: %.2f s\n", pages >> 8, seconds() - began);
	check(!on_device(memory, pages), "not all pages are off the device");
	check_residency(memory, pages);
	check_used(0, "after moving out");
	check_all(memory, pages, 2, "back on the host");
}

static void case_small(void) { round_trip(MADV_NOHUGEPAGE); }
static void case_huge(void) { round_trip(MADV_HUGEPAGE); }

static void case_create(void)
{
	size_t pages = 64 << 8;
	char *memory = map(pages * PAGE, 0);
	struct cxlmem_move move;

	create(memory, pages);
	check(on_device(memory, pages) == pages, "not all pages were created on the device");
	check_residency(memory, pages);
	check(all_zero(memory, pages * PAGE), "created pages are not zeroed");
	write_all(memory, pages, 3);
	check_all(memory, pages, 3, "after creation");
	munmap(memory, pages * PAGE);
	check_used(0, "after munmap");

	/* The next to get these pages must not see what was there. */
	memory = map(pages * PAGE, 0);
	create(memory, pages);
	check(all_zero(memory, pages * PAGE), "used pages are not zeroed");

	/* What is there already is left: on the host, or on the device. */
	munmap(memory, pages * PAGE);
	memory = map(pages * PAGE, MADV_NOHUGEPAGE);
	write_all(memory, 16, 4);
	create(memory + 16 * PAGE, 16);
	check(!request(CXLMEM_IOC_CREATE, memory, 64 * PAGE, &move) && move.counts.host == 16 &&
	      move.counts.already == 16 && move.counts.created == 32,
	      "mixed: host %llu already %llu created %llu", move.counts.host, move.counts.already,
	      move.counts.created);
	check_all(memory, 16, 4, "beside created pages");
	check_residency(memory, 64);
}

/* A child that runs, and whose failure is ours. */
static pid_t child(void (*run)(void *memory, size_t pages), void *memory, size_t pages)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		run(memory, pages);
		_exit(0);
	}
	return pid;
}

static void must_succeed(pid_t pid, const char *what)
{
	int status;

	check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
	      "%s: the child failed", what);
}

/* It reads what its parent wrote, from the device; what it writes is its own. */
static void child_writes(void *memory, size_t pages)
{
	check_all(memory, pages, 5, "in the child");
	check(on_device(memory, pages) == pages, "the child sees not all pages on the device");
	write_all(memory, pages / 2, 6);
	check(on_device(memory, pages) == pages / 2, "copies on write went to the device");
	check_residency(memory, pages);
	check_all(memory, pages / 2, 6, "in the child after writing");
}

static void child_moves(void *memory, size_t pages)
{
	struct cxlmem_move move;

	/* Shared with its parent, page by page: they move for both. */
	check(!request(CXLMEM_IOC_MOVE_OUT, memory, pages * PAGE, &move), "the child cannot move");
	check_all(memory, pages, 5, "in the child after moving");
}

static void case_fork(void)
{
	size_t pages = 16 << 8;
	void *memory = map(pages * PAGE, 0);

	write_all(memory, pages, 5);
	move_in(memory, pages);
	must_succeed(child(child_writes, memory, pages), "copy on write");
	check(on_device(memory, pages) == pages, "the parent's pages have moved");
	check_all(memory, pages, 5, "in the parent after the child wrote");
	check_used(pages, "after the child has gone");

	/* The parent writes while the child has it, too. */
	must_succeed(child(child_moves, memory, pages), "move out by a child");
	check_all(memory, pages, 5, "in the parent after the child moved it");
	check(!on_device(memory, pages), "the parent's pages are still on the device");
	move_in(memory, pages);
	write_all(memory, pages, 7);
	check_all(memory, pages, 7, "in the parent");
	munmap(memory, pages * PAGE);
	check_used(0, "after munmap");
}

static void case_mappings(void)
{
	size_t pages = 8 << 8, third = 365;
	char *memory = map(pages * PAGE, 0), *moved;
	struct cxlmem_move move;

	write_all(memory, pages, 8);
	move_in(memory, pages);

	moved = mremap(memory, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
	check(moved != MAP_FAILED, "mremap");
	check(on_device(moved, pages) == pages, "mremap took pages off the device");
	check_all(moved, pages, 8, "after mremap");
	memory = moved;
	munmap(memory + pages * PAGE, pages * PAGE);

	check(!mprotect(memory, third * PAGE, PROT_READ), "mprotect");
	check_all(memory, pages, 8, "after mprotect");
	check(on_device(memory, pages) == pages, "mprotect took pages off the device");
	check(!mprotect(memory, third * PAGE, PROT_NONE), "mprotect");
	check(!request(CXLMEM_IOC_MOVE_OUT, memory, pages * PAGE, &move) &&
	      move.counts.special == third && move.counts.moved == pages - third,
	      "special %llu moved %llu", move.counts.special, move.counts.moved);
	check(residency(memory, pages, NULL).other == third, "unreadable pages are told from others");
	check(!mprotect(memory, third * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	check_all(memory, pages, 8, "after all of that");
	move_in(memory + third * PAGE, pages - third);

	check(!madvise(memory, third * PAGE, MADV_DONTNEED), "madvise");
	check(all_zero(memory, third * PAGE), "MADV_DONTNEED did not drop the contents");
	check_used(pages - third, "after MADV_DONTNEED");
	check(!on_device(memory, third), "new pages are on the device");
	munmap(memory + third * PAGE, PAGE);
	check_used(pages - third - 1, "after munmap of a page");
	check(page_is((uint64_t *)memory, pages - 1, 8), "the last page");

	check(!mlock(memory + (pages - 64) * PAGE, 64 * PAGE), "mlock");
	move_out(memory + (pages - 64) * PAGE, 64);
	move_in(memory + (pages - 64) * PAGE, 64);
	check(page_is((uint64_t *)memory, pages - 1, 8), "the last page after mlock");
	check(!munlock(memory + (pages - 64) * PAGE, 64 * PAGE), "munlock");
	munmap(memory, pages * PAGE);
	check_used(0, "at the end");
}

/* Everything that is not moved, and why. */
static void case_skipped(void)
{
	const size_t n = 16;
	char *memory = map(8 * HUGE, MADV_NOHUGEPAGE), *at = memory;
	struct cxlmem_move move;
	struct cxlmem_counts *c = &move.counts;
	int file, zero_sum = 0;

	file = memfd_create("file", 0);
	check(file >= 0 && !ftruncate(file, n * PAGE), "memfd");
	write_all(at, n, 9);						/* to be moved */
	at += n * PAGE;
	at += n * PAGE;							/* never touched */
	for (size_t i = 0; i < n; i++, at += PAGE)			/* page of zeroes */
		zero_sum += *(volatile char *)at;
	check(!zero_sum, "zero");
	check(mmap(at, n * PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, file, 0) == at, "file");
	write_all(at, n, 9);
	at += n * PAGE;
	check(mmap(at, n * PAGE, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == at,
	      "unreadable");
	at += n * PAGE;
	munmap(at, n * PAGE);						/* nothing */
	at += n * PAGE;
	write_all(at, n, 9);
	pin(at, n);
	at += n * PAGE;
	write_all(at, n, 9);						/* already there */
	move_in(at, n);
	at += n * PAGE;

	check(!request(CXLMEM_IOC_MOVE_IN, memory, at - memory, &move), "move in");
	print_counts(&move);
	check(move.done == (__u64)(at - memory), "done");
	check(c->moved == n && c->empty == 2 * n && c->file == n && c->special == n &&
	      c->unmapped == n && c->busy == n && c->already == n, "counts");
	check(!c->created && !c->absent && !c->host && !c->no_room, "other counts");
	check_all(memory, n, 9, "of what was moved");
	check(on_device(memory, n) == n, "the first is on the device");
	check(!request(CXLMEM_IOC_MOVE_OUT, memory, at - memory, &move), "move out");
	print_counts(&move);
	check(c->moved == 2 * n, "moved out");
	check_used(0, "after moving out");
}

/* --- threads that hammer the memory while it moves */

#define THREADS 3
#define ROUNDS 15ul
static volatile bool stop;
static uint64_t *hammered;
static size_t hammered_pages;
static uint32_t *hammer_generations;

static void *hammer(void *argument)
{
	size_t thread = (size_t)argument, page = thread, rounds = 0;

	while (!stop) {
		if (!page_is(hammered, page, hammer_generations[page]))
			exit(1);
		write_page(hammered, page, ++hammer_generations[page]);
		page += THREADS;
		if (page >= hammered_pages) {
			page = thread;
			rounds++;
		}
	}
	return (void *)rounds;
}

static void case_hammer(void)
{
	size_t pages = 1 << 8, i, page;
	pthread_t threads[THREADS];
	struct cxlmem_move in, out;
	unsigned long long moved = 0;

	hammered_pages = pages;
	hammered = map(pages * PAGE, 0);
	hammer_generations = zeroed(pages, sizeof(*hammer_generations));
	write_all(hammered, pages, 0);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)i);
	for (i = 0; i < ROUNDS; i++) {
		check(!request(CXLMEM_IOC_MOVE_IN, hammered, pages * PAGE, &in), "in");
		check(!request(CXLMEM_IOC_MOVE_OUT, hammered, pages * PAGE, &out), "out");
		moved += in.counts.moved + out.counts.moved;
	}
	stop = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (page = 0; page < pages; page++)
		check(page_is(hammered, page, hammer_generations[page]), "lost");
	check(moved > ROUNDS * pages, "only %llu of %zu moves came about", moved,
	      2 * ROUNDS * pages);
	printf("# %llu of %zu moves\n", moved, 2 * ROUNDS * pages);
}

/* --- pins */

/* The disk reads from the device's pages and writes to them, where they are. */
static void case_direct(void)
{
	size_t pages = 16 << 8, at;
	char *memory = map(pages * PAGE, 0), *host = map(pages * PAGE, 0);
	int disk = open("/dev/nvme0n1", O_RDWR | O_DIRECT);

	if (disk < 0)
		err(1, "/dev/nvme0n1");
	write_all(memory, pages, 11);
	move_in(memory, pages);
	for (at = 0; at < pages * PAGE; at += HUGE)
		check(pwrite(disk, memory + at, HUGE, at) == (ssize_t)HUGE, "write");
	check(on_device(memory, pages) == pages, "writing to a disk took pages off the device");
	for (at = 0; at < pages * PAGE; at += HUGE)
		check(pread(disk, host + at, HUGE, at) == (ssize_t)HUGE, "read");
	check_all(host, pages, 11, "on the disk");

	munmap(memory, pages * PAGE);
	memory = map(pages * PAGE, 0);
	create(memory, pages);
	for (at = 0; at < pages * PAGE; at += HUGE)
		check(pread(disk, memory + at, HUGE, at) == (ssize_t)HUGE, "read");
	check_all(memory, pages, 11, "read from a disk to the device");
	check(on_device(memory, pages) == pages, "reading from a disk took pages off the device");
	check_residency(memory, pages);
	move_out(memory, pages);
	check_all(memory, pages, 11, "on the host after that");
}

/* A buffer that io_uring has registered is pinned for long: it leaves the device. */
static void case_longterm(void)
{
	size_t pages = 512;
	char *memory = map(2 * pages * PAGE, 0);
	struct iovec buffer = { .iov_base = memory, .iov_len = pages * PAGE };
	struct io_uring_params params = {};
	struct cxlmem_move move;
	int ring;

	write_all(memory, 2 * pages, 12);
	move_in(memory, 2 * pages);
	ring = syscall(SYS_io_uring_setup, 4, &params);
	check(ring >= 0, "io_uring_setup: %s", strerror(errno));
	check(!syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1),
	      "register: %s", strerror(errno));
	check(!on_device(memory, pages), "pages that are pinned for long are on the device");
	check(on_device(memory + pages * PAGE, pages) == pages, "the others are not");
	check_all(memory, 2 * pages, 12, "of a registered buffer");
	check(!request(CXLMEM_IOC_MOVE_IN, memory, pages * PAGE, &move) &&
	      move.counts.busy == pages, "what is pinned was moved in");
	move_out(memory + pages * PAGE, pages);
	check_used(0, "after moving out");
	check_all(memory, 2 * pages, 12, "at the end");
}

/* --- arguments that are wrong: an error each, and nothing changes */

static void refused(int expected, unsigned long command, void *argument, const char *what)
{
	int error = ioctl(device, command, argument) ? errno : 0;

	check(error == expected, "%s: %s, not %s", what, strerror(error), strerror(expected));
}

static void case_arguments(void)
{
	static const struct { unsigned long command; size_t size; const char *name; } commands[] = {
		{ CXLMEM_IOC_INFO, sizeof(struct cxlmem_info), "info" },
		{ CXLMEM_IOC_MOVE_IN, sizeof(struct cxlmem_move), "move in" },
		{ CXLMEM_IOC_CREATE, sizeof(struct cxlmem_move), "create" },
		{ CXLMEM_IOC_MOVE_OUT, sizeof(struct cxlmem_move), "move out" },
		{ CXLMEM_IOC_RESIDENCY, sizeof(struct cxlmem_residency), "residency" },
	};
	char *memory = map(HUGE, MADV_NOHUGEPAGE), *edge;
	union {
		__u32 words[1024];
		struct cxlmem_info info;
		struct cxlmem_move move;
		struct cxlmem_residency residency;
	} a;
	size_t i, k;

	write_all(memory, 512, 10);
	/* A page with nothing behind it. */
	edge = map(HUGE, MADV_NOHUGEPAGE);
	munmap(edge + PAGE, HUGE - PAGE);

	for (i = 0; i < 5; i++) {
		const size_t size = commands[i].size;
		const unsigned long command = commands[i].command;
		const char *name = commands[i].name;

#define FRESH() do { memset(&a, 0, sizeof(a)); a.words[0] = size; \
		if (i) { a.move.start = (uintptr_t)memory; a.move.length = HUGE; } } while (0)
		refused(EFAULT, command, NULL, name);
		refused(EFAULT, command, (void *)-4096ul, name);
		refused(EFAULT, command, (void *)0xffff888000000000ul, name);
		for (k = 0; k < size; k += 4) {
			FRESH();
			a.words[0] = k;
			refused(EINVAL, command, &a, "a size that is too small");
		}
		FRESH();
		a.words[0] = 8192;
		refused(EINVAL, command, &a, "a size of more than a page");
		FRESH();
		a.words[0] = ~0u;
		refused(EINVAL, command, &a, "the largest size");
		/* Larger than the driver knows: fine if all of it is zero. */
		FRESH();
		a.words[0] = size + 8;
		a.words[size / 4] = 1;
		refused(E2BIG, command, &a, "a field that is not known");
		/* At the end of what is mapped. */
		FRESH();
		memcpy(edge + PAGE - size + 4, &a, size - 4);
		refused(EFAULT, command, edge + PAGE - size + 4, "half of it is not mapped");
		/* Reserved fields and flags. */
		FRESH();
		a.words[1] = 1;
		refused(EINVAL, command, &a, "flags");
		a.words[1] = 1u << 31;
		refused(EINVAL, command, &a, "flags");
		if (!i)
			continue;

		/* Ranges. */
		FRESH(); a.move.start += 1; refused(EINVAL, command, &a, "unaligned start");
		FRESH(); a.move.length -= 1; refused(EINVAL, command, &a, "unaligned length");
		FRESH(); a.move.length = 0; refused(EINVAL, command, &a, "no length");
		FRESH(); a.move.length = -PAGE; refused(EINVAL, command, &a, "wraps");
		FRESH(); a.move.start = -PAGE; a.move.length = PAGE; refused(EINVAL, command, &a, "the end of all");
		FRESH(); a.move.start = -HUGE; a.move.length = 2 * HUGE; refused(EINVAL, command, &a, "wraps to 0");
		FRESH(); a.move.start = 0xffff888000000000ul; refused(EINVAL, command, &a, "the kernel's");
		FRESH(); a.move.length = 1ul << 63; refused(EINVAL, command, &a, "half of all");
		FRESH(); a.move.start = 1ul << 47; refused(EINVAL, command, &a, "behind the last");
		/* Where nothing is mapped it is no error. */
		FRESH(); a.move.start = 0; a.move.length = PAGE; refused(0, command, &a, "the first page");
	}
	for (k = 0; k < 4; k++) {
		memset(&a, 0, sizeof(a)); a.words[0] = sizeof(a.info); a.info.reserved[k] = 1ull << 63;
		refused(EINVAL, CXLMEM_IOC_INFO, &a, "reserved of info");
		memset(&a, 0, sizeof(a)); a.words[0] = sizeof(a.move);
		a.move.start = (uintptr_t)memory; a.move.length = HUGE;
		if (k < 3)
			a.move.reserved[k] = 1;
		else
			a.move.reserved0 = 1;
		refused(EINVAL, CXLMEM_IOC_MOVE_IN, &a, "reserved of move");
		memset(&a, 0, sizeof(a)); a.words[0] = sizeof(a.residency);
		a.residency.start = (uintptr_t)memory; a.residency.length = HUGE; a.residency.reserved[k] = 1;
		refused(EINVAL, CXLMEM_IOC_RESIDENCY, &a, "reserved of residency");
	}
	/* Processes that there cannot be, that there are not, and that have no memory. */
	memset(&a, 0, sizeof(a));
	a.move = (struct cxlmem_move) { .size = sizeof(a.move), .length = HUGE,
					.start = (uintptr_t)memory, .pid = ~0u };
	refused(EINVAL, CXLMEM_IOC_MOVE_IN, &a, "a pid of all ones");
	a.move.pid = 1u << 31;
	refused(EINVAL, CXLMEM_IOC_MOVE_OUT, &a, "a negative pid");
	a.move.pid = 4 << 20;
	refused(ESRCH, CXLMEM_IOC_MOVE_IN, &a, "no such process");
	a.move.pid = 2;
	refused(ESRCH, CXLMEM_IOC_MOVE_IN, &a, "a thread of the kernel");

	memset(&a, 0, sizeof(a)); a.words[0] = sizeof(a.residency);
	a.residency.start = (uintptr_t)memory; a.residency.length = HUGE;
	a.residency.vector = 8;
	refused(EFAULT, CXLMEM_IOC_RESIDENCY, &a, "a vector that is not mapped");
	a.residency.vector = -8ul;
	refused(EFAULT, CXLMEM_IOC_RESIDENCY, &a, "a vector in the kernel");

	a.residency.vector = (uintptr_t)edge;
	a.residency.length = 0;
	refused(EINVAL, CXLMEM_IOC_RESIDENCY, &a, "no length, with a vector");
	a.residency.length = -PAGE;
	refused(EINVAL, CXLMEM_IOC_RESIDENCY, &a, "wraps, with a vector");

	/* Commands that are none. */
	refused(ENOTTY, _IOWR(CXLMEM_IOC_MAGIC, 0, struct cxlmem_move), &a, "number 0");
	refused(ENOTTY, _IOWR(CXLMEM_IOC_MAGIC, 7, struct cxlmem_move), &a, "number 7");
	refused(ENOTTY, _IOWR(CXLMEM_IOC_MAGIC, 255, struct cxlmem_move), &a, "number 255");
	refused(ENOTTY, _IO(CXLMEM_IOC_MAGIC, 2), &a, "no direction");
	refused(ENOTTY, _IOWR(0xDD, 2, struct cxlmem_move), &a, "another's");
	check(read(device, &a, 8) < 0 && write(device, &a, 8) < 0, "read and write");
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED, "mmap");

	check_all(memory, 512, 10, "after all that was refused");
	check(!on_device(memory, 512), "something was moved");
	check_used(0, "after all that was refused");

	/* All of the address space, with what a program has in it. */
	a.move = (struct cxlmem_move) { .size = sizeof(a.move), .length = (1ul << 47) - PAGE };
	refused(0, CXLMEM_IOC_MOVE_IN, &a, "all there is");
	check(a.move.done == (1ul << 47) - PAGE, "not all was gone through");
	check(on_device(memory, 512) == 512, "my memory was not moved with all the rest");
	refused(0, CXLMEM_IOC_MOVE_OUT, &a, "all there is");
	check_used(0, "after all was moved out");
	check_all(memory, 512, 10, "after all was moved");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "small", case_small },
	{ "huge", case_huge },
	{ "create", case_create },
	{ "fork", case_fork },
	{ "mappings", case_mappings },
	{ "skipped", case_skipped },
	{ "hammer", case_hammer },
	{ "direct", case_direct },
	{ "longterm", case_longterm },
	{ "arguments", case_arguments },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		errx(2, "usage: onboard info|hold|CASE");
	device = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/cxlmem0");
	if (!strcmp(argv[1], "info"))
		return info();
	if (!strcmp(argv[1], "hold"))
		return hold(argc - 1, argv + 1);
	if (!strcmp(argv[1], "churn"))
		return churn(argc - 1, argv + 1);
	if (!strcmp(argv[1], "fuzz")) {
		signal(SIGALRM, nothing);
		return fuzz(argc - 1, argv + 1);
	}
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	errx(2, "there is no case \"%s\"", argv[1]);
}
