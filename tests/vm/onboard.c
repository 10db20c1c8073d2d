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
 *		-n goes on if it cannot be moved, or not all of it
 *		-p pins that many of its pages in a pipe, then moves the rest
 *	onboard CASE		one of the cases below; fails with a message
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
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

static void print_counts(const struct cxlmem_move *move)
{
	const struct cxlmem_counts *c = &move->counts;

	printf("done=%llu moved=%llu created=%llu already=%llu empty=%llu absent=%llu host=%llu busy=%llu file=%llu special=%llu unmapped=%llu no_room=%llu split=%llu evicted=%llu\n",
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

/* Page by page, against what the kernel tells root about any process's pages. */
static void check_residency(void *memory, size_t pages)
{
	uint64_t first = attribute("start") / PAGE, last = first + attribute("size") / PAGE - 1;
	uint64_t *entries = calloc(pages, sizeof(*entries));
	uint8_t *vector = malloc(pages);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t page;

	memset(vector, 0xff, pages);
	residency(memory, pages, vector);
	if (fd < 0 || pread(fd, entries, pages * 8, (uintptr_t)memory / PAGE * 8) != (ssize_t)pages * 8)
		err(1, "pagemap");
	for (page = 0; page < pages; page++) {
		uint64_t pfn = entries[page] & ((1ull << 55) - 1);
		bool present = entries[page] >> 63;
		bool there = present && pfn >= first && pfn <= last;
		uint8_t place = !present ? CXLMEM_PAGE_NONE :
				there ? CXLMEM_PAGE_DEVICE : CXLMEM_PAGE_HOST;

		check(vector[page] == place, "page %zu: residency %u, but by pagemap it is %u",
		      page, vector[page], place);
	}
	close(fd);
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
	int ends[2];

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, pages * PAGE) < 0 ||
	    vmsplice(ends[1], &part, 1, 0) != (ssize_t)(pages * PAGE))
		err(1, "pin");
}

static int hold(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask };
	bool rewrite = false, in_place = false, lenient = false;
	size_t pages, page, pinned = 0;
	int option, advice = 0, error;
	struct cxlmem_residency r;
	struct cxlmem_move move;
	uint32_t *generations;
	sigset_t set, old;
	void *memory;

	while ((option = getopt(argc, argv, "shcwnp:")) != -1) {
		switch (option) {
		case 's': advice = MADV_NOHUGEPAGE; break;
		case 'h': advice = MADV_HUGEPAGE; break;
		case 'c': in_place = true; break;
		case 'w': rewrite = true; break;
		case 'n': lenient = true; break;
		case 'p': pinned = atoi(optarg); break;
		default: return 2;
		}
	}
	pages = optind < argc ? strtoul(argv[optind], NULL, 10) << 8 : 0;
	if (!pages)
		errx(2, "how much?");
	memory = map(pages * PAGE, advice);
	generations = calloc(pages, sizeof(*generations));

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
		return 1;
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
				if (!page_is(memory, i, generations[i]))
					return 1;
			printf("intact\n");
			fflush(stdout);
		} else if (asked_where) {
			asked_where = 0;
			r = residency(memory, pages, NULL);
			printf("device=%llu host=%llu none=%llu other=%llu\n", r.device, r.host,
			       r.none, r.other);
			fflush(stdout);
		} else if (rewrite) {
			if (!page_is(memory, page, generations[page]))
				return 1;
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

/* --- cases */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

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

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "small", case_small },
	{ "huge", case_huge },
	{ "create", case_create },
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
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	errx(2, "there is no case \"%s\"", argv[1]);
}
