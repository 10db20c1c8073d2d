// SPDX-License-Identifier: GPL-2.0
/*
 * A program that notices if a byte of its memory is lost: it fills MIB of
 * memory with a pattern, prints "PID ready", and on SIGUSR1 checks all of it
 * and prints "intact" or "CORRUPT".
 *
 *	pattern [-s|-h] [-w|-f] [-b NODE] MIB
 *
 *	-s  small pages only	-h  huge pages where possible
 *	-w  keep checking and rewriting the memory meanwhile
 *	-f  and give each page back first, so that it needs new ones all the time
 *	-b  bind the memory, not the process, to the node: mbind(2)
 */
#include <err.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS_PER_PAGE (4096 / sizeof(uint64_t))

static uint64_t *memory;
static uint32_t *generations;	/* how often each page has been rewritten */
static size_t pages;

static volatile sig_atomic_t asked;

static void ask(int signal)
{
	(void)signal;
	asked = 1;
}

static uint64_t word(size_t page, size_t i)
{
	return (page * WORDS_PER_PAGE + i + 1) * 0x9e3779b97f4a7c15ull ^ generations[page];
}

static void write_page(size_t page)
{
	size_t i;

	for (i = 0; i < WORDS_PER_PAGE; i++)
		memory[page * WORDS_PER_PAGE + i] = word(page, i);
}

static bool page_is_intact(size_t page)
{
	size_t i;

	for (i = 0; i < WORDS_PER_PAGE; i++) {
		uint64_t found = memory[page * WORDS_PER_PAGE + i];

		if (found != word(page, i)) {
			printf("CORRUPT page %zu word %zu: %#llx, not %#llx\n", page, i,
			       (unsigned long long)found, (unsigned long long)word(page, i));
			fflush(stdout);
			return false;
		}
	}
	return true;
}

static bool all_is_intact(void)
{
	size_t page;

	for (page = 0; page < pages; page++)
		if (!page_is_intact(page))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask };
	int advice = 0, option;
	bool rewrite = false, fresh = false;
	unsigned long nodes = 0;
	sigset_t usr1, old;
	size_t page = 0;

	while ((option = getopt(argc, argv, "shwfb:")) != -1) {
		if (option == 's')
			advice = MADV_NOHUGEPAGE;
		else if (option == 'h')
			advice = MADV_HUGEPAGE;
		else if (option == 'w')
			rewrite = true;
		else if (option == 'f')
			rewrite = fresh = true;
		else if (option == 'b')
			nodes = 1ul << atoi(optarg);
		else
			return 2;
	}
	pages = optind < argc ? strtoul(argv[optind], NULL, 10) << 8 : 0;
	if (!pages)
		errx(2, "usage: pattern [-s|-h] [-w|-f] [-b NODE] MIB");

	memory = mmap(NULL, pages << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	generations = calloc(pages, sizeof(*generations));
	if (memory == MAP_FAILED || !generations)
		err(1, "%zu MiB", pages >> 8);
	if (advice && madvise(memory, pages << 12, advice))
		err(1, "madvise");
	if (nodes && syscall(SYS_mbind, memory, pages << 12, MPOL_BIND, &nodes, 8 * sizeof(nodes), 0))
		err(1, "mbind");

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	sigaction(SIGUSR1, &action, NULL);
	for (page = 0; page < pages; page++)
		write_page(page);
	printf("%d ready\n", getpid());
	fflush(stdout);

	if (rewrite)
		sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	for (page = 0;; page = (page + 1) % pages) {
		if (asked) {
			asked = 0;
			if (!all_is_intact())
				return 1;
			printf("intact\n");
			fflush(stdout);
		} else if (rewrite) {
			if (!page_is_intact(page))
				return 1;
			generations[page]++;
			if (fresh && madvise(memory + page * WORDS_PER_PAGE, 4096, MADV_DONTNEED))
				err(1, "madvise");
			write_page(page);
		} else {
			sigsuspend(&old);
		}
	}
}
