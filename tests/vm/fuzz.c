// SPDX-License-Identifier: GPL-2.0
/*
 * Writes what comes from a corpus, whole or mutated, to all that cxlmem lets be
 * written, from several threads at once.
 *
 *	fuzz [-s SEED] [-t SECONDS] [-p PID] CORPUS ADDRESS "START SIZE"
 *
 *	-p	a process whose memory is moved to node 1 every now and then
 *
 * A thread's values are those of its seed; how the threads meet is not. The
 * devices come and go meanwhile, so most targets are missing now and then.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define LONGEST 8192		/* sysfs takes no more than a page */
#define NR_ERRORS 256

struct value {
	char bytes[LONGEST];
	size_t size;
};

static struct value corpus[256];
static size_t corpus_size;
static const char *address, *range;
static unsigned int seed = 1, seconds = 60;
static pid_t bystander;
static volatile bool over;

struct thread {
	pthread_t id;
	uint64_t state;
	unsigned long writes, results[NR_ERRORS];
};

/* xorshift64*: fast, and the same everywhere. */
static uint64_t draw(struct thread *t)
{
	t->state ^= t->state >> 12;
	t->state ^= t->state << 25;
	t->state ^= t->state >> 27;
	return t->state * 0x2545f4914f6cdd1dull >> 16;
}

static size_t below(struct thread *t, size_t n)
{
	return draw(t) % n;
}

static void add_text(struct value *value, const char *text)
{
	size_t n = strlen(text);

	if (value->size + n <= LONGEST) {
		memcpy(value->bytes + value->size, text, n);
		value->size += n;
	}
}

static void parse_line(char *at)
{
	struct value *value = &corpus[corpus_size++];
	unsigned int byte;
	int used;

	while (*at && *at != '\n') {
		if (!strncmp(at, "@pci", 4)) {
			add_text(value, address);
			at += 4;
		} else if (!strncmp(at, "@range", 6)) {
			add_text(value, range);
			at += 6;
		} else if (sscanf(at, "\\x%2x%n", &byte, &used) == 1) {
			value->bytes[value->size++] = byte;
			at += used;
		} else if (at[0] == '\\' && at[1]) {
			value->bytes[value->size++] = at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' :
						      at[1] == '0' ? '\0' : at[1];
			at += 2;
		} else {
			value->bytes[value->size++] = *at++;
		}
	}
}

static void read_corpus(const char *path)
{
	FILE *in = fopen(path, "re");
	char line[1024];

	if (!in)
		err(1, "%s", path);
	while (corpus_size < sizeof(corpus) / sizeof(corpus[0]) && fgets(line, sizeof(line), in))
		if (line[0] != '#' && line[0] != '\n')
			parse_line(line);
	fclose(in);
	if (!corpus_size)
		errx(1, "%s: nothing in it", path);
}

static void mutate(struct thread *t, struct value *value)
{
	const struct value *other = &corpus[below(t, corpus_size)];
	size_t at = value->size ? below(t, value->size) : 0;

	switch (below(t, 7)) {
	case 0:		/* a bit is another */
		if (value->size)
			value->bytes[at] ^= 1 << below(t, 8);
		break;
	case 1:		/* a byte is another */
		if (value->size)
			value->bytes[at] = draw(t);
		break;
	case 2:		/* cut off */
		value->size = at;
		break;
	case 3:		/* another value behind it */
		if (value->size + other->size < LONGEST) {
			value->bytes[value->size++] = ' ';
			memcpy(value->bytes + value->size, other->bytes, other->size);
			value->size += other->size;
		}
		break;
	case 4:		/* a number in its place */
		value->size = sprintf(value->bytes, below(t, 2) ? "%lld" : "0x%llx",
				      (long long)draw(t) >> below(t, 48));
		break;
	case 5:		/* a digit is another, so that it is still a number */
		for (; at < value->size; at++)
			if (isdigit((unsigned char)value->bytes[at])) {
				value->bytes[at] = '0' + below(t, 10);
				break;
			}
		break;
	default:	/* long */
		if (!below(t, 16)) {
			value->size = 1 + below(t, LONGEST);
			memset(value->bytes, 'a' + below(t, 26), value->size);
		}
		break;
	}
}

/*
 * Where to write: patterns, since devices come and go. The memory's blocks are
 * here too, and none of the host's own.
 */
struct target {
	const char *pattern;
	bool plain;	/* takes only values of the corpus */
};

static char override[128], blocks[128];

static const struct target targets[] = {
	{ .pattern = "/sys/class/cxlmem/cxlmem*/mode" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/zone" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/node" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/memmap_on_memory" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/policy" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/quota" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/lend" },
	{ .pattern = "/sys/class/cxlmem/cxlmem*/uevent" },
	{ .pattern = "/sys/bus/platform/drivers/cxlmem_range/new_range" },
	{ .pattern = "/sys/bus/platform/drivers/cxlmem_range/remove_range" },
	{ .pattern = "/sys/bus/platform/drivers/cxlmem_range/unbind" },
	{ .pattern = "/sys/bus/pci/drivers/cxlmem_pci/bind" },
	{ .pattern = "/sys/bus/pci/drivers/cxlmem_pci/unbind" },
	{ .pattern = "/sys/module/cxlmem_core/parameters/remove_timeout", .plain = true },
	{ .pattern = "/sys/module/cxlmem_core/parameters/pin_timeout", .plain = true },
	{ .pattern = "/sys/module/cxlmem_core/parameters/workers", .plain = true },
	{ .pattern = override },
	{ .pattern = blocks, .plain = true },
};

static bool one_in(struct thread *t, size_t n)
{
	return !below(t, n);
}

static void write_value(struct thread *t, const char *path, const struct value *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return;
	if (write(fd, value->bytes, value->size) < 0)
		result = errno;
	close(fd);
	t->writes++;
	t->results[result < NR_ERRORS ? result : NR_ERRORS - 1]++;
}

static void *fuzz(void *arg)
{
	struct thread *t = arg;

	while (!over) {
		const struct target *target = &targets[below(t, sizeof(targets) / sizeof(targets[0]))];
		struct value value = corpus[below(t, corpus_size)];
		glob_t found;

		while (!target->plain && one_in(t, 2))
			mutate(t, &value);
		if (!glob(target->pattern, 0, NULL, &found))
			write_value(t, found.gl_pathv[below(t, found.gl_pathc)], &value);
		globfree(&found);
	}
	return NULL;
}

static void *move_data(void *arg)
{
	unsigned long host = 1, far = 2;

	while (!over && bystander) {
		syscall(SYS_migrate_pages, bystander, 64, &host, &far);
		usleep(300000);
	}
	return arg;
}

/* Blocks of the device's window have three digits from 1 on, the host's have two. */
static void name_targets(void)
{
	snprintf(override, sizeof(override), "/sys/bus/pci/devices/%s/driver_override", address);
	snprintf(blocks, sizeof(blocks), "/sys/devices/system/memory/memory[1-9][0-9][0-9]/state");
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS];
	unsigned long writes = 0, result;
	pthread_t mover;
	int option, i;

	while ((option = getopt(argc, argv, "s:t:p:")) != -1) {
		if (option == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (option == 't')
			seconds = strtoul(optarg, NULL, 0);
		else if (option == 'p')
			bystander = atoi(optarg);
		else
			return 2;
	}
	if (argc - optind != 3)
		errx(2, "usage: fuzz [-s SEED] [-t SECONDS] [-p PID] CORPUS ADDRESS \"START SIZE\"");
	address = argv[optind + 1];
	range = argv[optind + 2];
	read_corpus(argv[optind]);
	name_targets();

	printf("seed %u, %zu values, %d threads, %u s\n", seed, corpus_size, THREADS, seconds);
	fflush(stdout);
	for (i = 0; i < THREADS; i++) {
		threads[i].state = (seed + 1ull) * 0x9e3779b97f4a7c15ull + i + 1;
		pthread_create(&threads[i].id, NULL, fuzz, &threads[i]);
	}
	pthread_create(&mover, NULL, move_data, NULL);
	sleep(seconds);
	over = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	pthread_join(mover, NULL);

	for (i = 0; i < THREADS; i++)
		writes += threads[i].writes;
	printf("%lu writes, %lu a second\n", writes, writes / (seconds ?: 1));
	for (result = 0; result < NR_ERRORS; result++) {
		unsigned long n = 0;

		for (i = 0; i < THREADS; i++)
			n += threads[i].results[result];
		if (n)
			printf("%8lu %s\n", n, result ? strerrorname_np(result) : "accepted");
	}
	return 0;
}
