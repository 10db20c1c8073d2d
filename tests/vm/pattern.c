// SPDX-License-Identifier: GPL-2.0
/*
 * A program that notices if a byte of its memory is lost: it fills MIB of
 * memory with a pattern, prints "PID ready", and on SIGUSR1 checks all of it
 * and prints "intact" or "CORRUPT".
 *
 *	pattern [-s|-h|-g] [-m] [-l] [-k] [-w|-f] [-b NODE] [-c CHILDREN] MIB
 *
 *	-s  small pages only	-h  huge pages where possible	-g  of hugetlb
 *	-m  share the memory	-l  lock it	-k  alike pages, for KSM to merge
 *	-w  keep checking and rewriting the memory meanwhile
 *	-f  and give each page back first, so that it needs new ones all the time
 *	-b  bind the memory, not the process, to the node: mbind(2)
 *	-c  fork so many children, who have the pages as well but for each fourth, which
 *	    they write; they are asked, too, and go by the same
 */
#include <err.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS_PER_PAGE (4096 / sizeof(uint64_t))

static uint64_t *memory;
static uint32_t *generations;	/* how often each page has been rewritten */
static size_t pages;
static bool alike;

/* Of the parent, each with the end of a pipe that it answers by. */
#define MAX_CHILDREN 8
static struct {
	pid_t pid;
	int answer;
} children[MAX_CHILDREN];
static int nr_children;

static int answer = -1;		/* of a child */

static volatile sig_atomic_t asked;

static void ask(int signal)
{
	(void)signal;
	asked = 1;
}

static uint64_t word(size_t page, size_t i)
{
	if (alike)
		page %= 4;
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

/* A child says so to its parent, who has waited for it. */
static void say(const char *what)
{
	if (answer >= 0) {
		if (write(answer, "y", 1) != 1)
			err(1, "pipe");
		return;
	}
	printf("%s\n", what);
	fflush(stdout);
}

static bool child_says_yes(int i)
{
	char yes;

	return read(children[i].answer, &yes, 1) == 1;
}

static bool children_are_intact(void)
{
	int i;

	for (i = 0; i < nr_children; i++)
		if (kill(children[i].pid, SIGUSR1) || !child_says_yes(i)) {
			printf("CORRUPT in process %d, or it is dead\n", (int)children[i].pid);
			fflush(stdout);
			return false;
		}
	return true;
}

/* What a child has of its own. */
static void write_some(void)
{
	size_t page;

	for (page = 0; page < pages; page += 4) {
		generations[page]++;
		write_page(page);
	}
	say("ready");
}

static void fork_children(int nr)
{
	int ends[2];

	for (; nr_children < nr; nr_children++) {
		if (pipe(ends))
			err(1, "pipe");
		children[nr_children].answer = ends[0];
		children[nr_children].pid = fork();
		if (children[nr_children].pid < 0)
			err(1, "fork");
		if (!children[nr_children].pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			nr_children = 0;
			answer = ends[1];
			write_some();
			return;
		}
		close(ends[1]);
		if (!child_says_yes(nr_children))
			errx(1, "a child has died");
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask };
	int advice = 0, option, flags = MAP_ANONYMOUS, forks = 0;
	bool rewrite = false, fresh = false, lock = false;
	unsigned long nodes = 0;
	sigset_t usr1, old;
	size_t page = 0;

	while ((option = getopt(argc, argv, "shgmlkwfb:c:")) != -1) {
		if (option == 's')
			advice = MADV_NOHUGEPAGE;
		else if (option == 'h')
			advice = MADV_HUGEPAGE;
		else if (option == 'g')
			flags |= MAP_HUGETLB;
		else if (option == 'm')
			flags |= MAP_SHARED;
		else if (option == 'l')
			lock = true;
		else if (option == 'k')
			alike = true;
		else if (option == 'c' && atoi(optarg) <= MAX_CHILDREN)
			forks = atoi(optarg);
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
		errx(2, "usage: pattern [-s|-h|-g] [-m] [-l] [-k] [-w|-f] [-b NODE] [-c CHILDREN] MIB");

	if (!(flags & MAP_SHARED))
		flags |= MAP_PRIVATE;
	memory = mmap(NULL, pages << 12, PROT_READ | PROT_WRITE, flags, -1, 0);
	generations = calloc(pages, sizeof(*generations));
	if (memory == MAP_FAILED || !generations)
		err(1, "%zu MiB", pages >> 8);
	if (advice && madvise(memory, pages << 12, advice))
		err(1, "madvise");
	if (alike && madvise(memory, pages << 12, MADV_MERGEABLE))
		err(1, "KSM");
	if (nodes && syscall(SYS_mbind, memory, pages << 12, MPOL_BIND, &nodes, 8 * sizeof(nodes), 0))
		err(1, "mbind");
	if (lock && mlock(memory, pages << 12))
		err(1, "mlock");

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	sigaction(SIGUSR1, &action, NULL);
	for (page = 0; page < pages; page++)
		write_page(page);
	fork_children(forks);
	if (answer < 0) {
		printf("%d ready\n", getpid());
		fflush(stdout);
	}

	if (rewrite)
		sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	for (page = 0;; page = (page + 1) % pages) {
		if (asked) {
			asked = 0;
			if (!all_is_intact() || !children_are_intact())
				return 1;
			say("intact");
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
