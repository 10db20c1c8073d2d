// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves memory that is free, but never so much in a row as a huge page, whatever the
 * kernel compacts: fills node 0, but for MIB, with pages that cannot be moved (those of
 * pipes), gives back each eighth pipe's, and each second one's when SIGUSR1 comes. For up
 * to 128 MiB.
 *
 *	fragment MIB	prints "ready", and "free" when they are
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE 4096
#define NPIPES 2048
/* So many pages does a pipe take. */
#define SLOTS 16

static int pipes[NPIPES][2];

static void on_signal(int signal)
{
	(void)signal;
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static unsigned long free_mib(int meminfo)
{
	char text[512] = "", *free;

	if (pread(meminfo, text, sizeof(text) - 1, 0) <= 0)
		err(1, "meminfo");
	free = strstr(text, "MemFree:");
	if (!free)
		errx(1, "meminfo has no MemFree");
	return strtoul(free + strlen("MemFree:"), NULL, 10) >> 10;
}

/* Pipe by pipe, so that what one gives back is in a row, as kernels need for themselves. */
static void fill(unsigned long leave)
{
	int meminfo = open("/sys/devices/system/node/node0/meminfo", O_RDONLY), i;
	char page[PAGE];

	memset(page, 1, sizeof(page));
	for (i = 0; i < NPIPES * SLOTS; i++) {
		if (i % 64 == 0 && free_mib(meminfo) < leave)
			break;
		if (write(pipes[i / SLOTS][1], page, sizeof(page)) != sizeof(page))
			err(1, "write");
	}
	close(meminfo);
}

static void give_back(int step)
{
	int i;

	/* Some are closed already. */
	for (i = 0; i < NPIPES; i += step) {
		close(pipes[i][0]);
		close(pipes[i][1]);
		pipes[i][0] = pipes[i][1] = -1;
	}
}

int main(int argc, char **argv)
{
	const struct rlimit files = { 2 * NPIPES + 16, 2 * NPIPES + 16 };
	const struct sigaction action = { .sa_handler = on_signal };
	int i;

	if (argc != 2)
		errx(2, "usage: fragment MIB");
	if (setrlimit(RLIMIT_NOFILE, &files) || sigaction(SIGUSR1, &action, NULL))
		err(1, "limits");
	for (i = 0; i < NPIPES; i++)
		if (pipe2(pipes[i], O_NONBLOCK))
			err(1, "pipe");
	fill(strtoul(argv[1], NULL, 10));
	give_back(8);
	say("ready");
	pause();
	give_back(2);
	say("free");
	for (;;)
		pause();
}
