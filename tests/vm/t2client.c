// SPDX-License-Identifier: GPL-2.0
/*
 * A program whose memory the accelerator works on, through the sample driver:
 *
 *	t2client CHECK...
 *
 * Prints a line "CHECK ok" or what is wrong. What the engine did with its addresses
 * comes from the model's own log (see tests/type2), by the port in $T2CONTROL.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../driver/include/uapi/linux/cxlmem.h"
#include "../../driver/sample/t2sample.h"
#include "../type2/t2accel.h"

#define PAGE	4096ul
#define REGION	(64 * PAGE)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define NR(array) (sizeof(array) / sizeof((array)[0]))

static int accel = -1;
static const char *wrong;

static void must(bool condition, const char *what)
{
	if (!condition && !wrong)
		wrong = what;
}

/* What a vendor's library would have. */

static int open_accel(void)
{
	int fd = open("/dev/t2sample0", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/t2sample0");
	return fd;
}

static int submit(struct t2s_submit *job)
{
	return ioctl(accel, T2S_SUBMIT, job) ? -errno : 0;
}

static struct t2s_wait wait_for(uint64_t id)
{
	struct t2s_wait how = { .id = id };

	if (ioctl(accel, T2S_WAIT, &how))
		err(1, "T2S_WAIT");
	return how;
}

static struct t2s_wait run(struct t2s_submit job)
{
	int rc = submit(&job);

	if (rc)
		errx(1, "T2S_SUBMIT: %s", strerror(-rc));
	return wait_for(job.id);
}

static struct t2s_wait fill(void *dst, size_t length, uint64_t value)
{
	return run((struct t2s_submit) { .op = T2_OP_FILL, .dst = (uintptr_t)dst,
					 .length = length, .operand = value });
}

static struct t2s_wait checksum(const void *src, size_t length)
{
	return run((struct t2s_submit) { .op = T2_OP_CHECKSUM, .src = (uintptr_t)src,
					 .length = length });
}

static struct t2s_stats stats(void)
{
	struct t2s_stats now;

	if (ioctl(accel, T2S_STATS, &now))
		err(1, "T2S_STATS");
	return now;
}

/* What checks need. */

static uint32_t crc32c(const uint8_t *data, size_t size)
{
	uint32_t crc = ~0u;

	while (size--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static bool all(const volatile uint64_t *at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size / sizeof(*at); i++)
		if (at[i] != value)
			return false;
	return true;
}

static void *map(void *at, size_t size, int prot)
{
	void *p = mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

/* As malloc() has it, or aligned. */
static void *allocate(size_t align, size_t size)
{
	void *p = align ? aligned_alloc(align, size) : malloc(size);

	if (!p)
		err(1, "malloc");
	return p;
}

static void *region(void)
{
	return map(NULL, REGION, PROT_READ | PROT_WRITE);
}

/* Asks the model; hands each line of the answer to `each`, if there is one. */
static void model(const char *command, void (*each)(const char *line))
{
	int port = open(getenv("T2CONTROL") ?: "", O_RDWR | O_CLOEXEC);
	FILE *answer = port < 0 ? NULL : fdopen(port, "r");
	char line[256] = "no answer";

	if (!answer)
		err(1, "$T2CONTROL");
	dprintf(port, "%s\n", command);
	while (fgets(line, sizeof(line), answer)) {
		if (!strcmp(line, "ok\n") || !strncmp(line, "error:", 6))
			break;
		if (each)
			each(line);
	}
	fclose(answer);
	if (strcmp(line, "ok\n"))
		errx(1, "%s: %s", command, line);
}

/* Accesses by the engine to `watched`, REGION bytes, in the log. */
static uint64_t watched;
static unsigned int reads, writes;

static void count_access(const char *line)
{
	unsigned long long address;
	char what[16];

	if (sscanf(line, "%*u %15s %*u %*x %llx", what, &address) != 2 ||
	    address - watched >= REGION)
		return;
	reads += !strcmp(what, "read");
	writes += !strcmp(what, "write");
}

/* From here on, for a moment. */
static void watch(const void *at)
{
	watched = (uintptr_t)at;
	reads = writes = 0;
	model("log skip", NULL);
	usleep(200000);
	model("log", count_access);
}

/* A thread that has the engine fill a region with one number after the other. */
static struct {
	pthread_t thread;
	void *at;
	_Atomic bool stop;
	_Atomic uint64_t number;	/* of fills that are done */
	struct t2s_wait last;
	int error;			/* of the submission that failed */
	_Atomic bool failed;
} pound;

static void *pound_thread(void *unused)
{
	(void)unused;
	while (!pound.stop) {
		struct t2s_submit job = { .op = T2_OP_FILL, .dst = (uintptr_t)pound.at,
					  .length = REGION, .operand = pound.number + 1 };

		pound.error = submit(&job);
		if (!pound.error)
			pound.last = wait_for(job.id);
		pound.failed = pound.error || pound.last.status;
		if (pound.failed)
			break;
		pound.number++;
	}
	return NULL;
}

static void pound_on(void *at)
{
	pound.at = at;
	pound.stop = false;
	pound.failed = false;
	pound.number = pound.error = 0;
	memset(&pound.last, 0, sizeof(pound.last));
	if (pthread_create(&pound.thread, NULL, pound_thread, NULL))
		errx(1, "pthread_create");
	while (pound.number < 3 && !pound.failed)
		usleep(1000);
}

static void stop_pounding(void)
{
	pound.stop = true;
	pthread_join(pound.thread, NULL);
}

/* A job is to fail; if none does, it is not waited for forever. */
static void wait_for_failure(void)
{
	for (int i = 0; i < 3000 && !pound.failed; i++)
		usleep(10000);
	stop_pounding();
}

/* The work, on memory as a program has it. */
static void check_work(void)
{
	static uint64_t fixed[1024];
	size_t size = 300000;
	uint64_t local[64];
	uint8_t *a = allocate(0, size), *b = allocate(0, size);
	struct t2s_wait how;

	must(fill(fixed, sizeof(fixed), 7).status == T2_OK && all(fixed, sizeof(fixed), 7),
	     "the program's data are not filled");
	must(fill(local, sizeof(local), 8).status == T2_OK && all(local, sizeof(local), 8),
	     "its stack is not filled");
	for (size_t i = 0; i < size; i++)
		a[i] = i * 7 + i / 256;
	how = run((struct t2s_submit) { .op = T2_OP_COPY, .dst = (uintptr_t)b + 1,
					.src = (uintptr_t)a, .length = size - 1 });
	must(how.status == T2_OK && how.bytes == size - 1 && !memcmp(a, b + 1, size - 1),
	     "a copy between two pieces of malloc's memory");
	how = checksum(a, size);
	must(how.status == T2_OK && how.result == crc32c(a, size), "a checksum");
	how = run((struct t2s_submit) { .op = T2_OP_ADD, .dst = (uintptr_t)fixed,
					.length = sizeof(fixed), .operand = 3 });
	must(how.status == T2_OK && how.result == 7 && all(fixed, sizeof(fixed), 10), "an addition");
	must(checksum(NULL, 8).status == T2_FAULT, "a null pointer is read");
	must(fill((void *)(uintptr_t)check_work, 8, 0).status == T2_FAULT, "the program's code is written");
	must(fill((void *)0xffff888000000000, 8, 0).status == T2_FAULT, "the kernel's memory is written");
	must(stats().refused == 3, "not three faults were refused");
	free(a);
	free(b);
}

static void *locked_jobs(void *unused)
{
	size_t size = 1 << 20;
	uint64_t *at = allocate(0, size);

	(void)unused;
	for (uint64_t i = 1; i <= 5; i++) {
		struct t2s_wait how = run((struct t2s_submit) {
			.op = T2_OP_FILL, .flags = T2S_LOCK, .dst = (uintptr_t)at, .length = size,
			.operand = i });

		must(how.status == T2_OK && all(at, size, i), "a job with locked memory");
	}
	free(at);
	return NULL;
}

/* More than lock_limit at the same time. */
static void check_locked(void)
{
	struct t2s_stats before = stats(), after;
	pthread_t threads[4];

	for (size_t i = 0; i < NR(threads); i++)
		pthread_create(&threads[i], NULL, locked_jobs, NULL);
	for (size_t i = 0; i < NR(threads); i++)
		pthread_join(threads[i], NULL);
	after = stats();
	must(after.faults == before.faults, "locked memory faults");
	must(after.blocked > before.blocked, "nobody had to wait");
}

static void check_munmap(void)
{
	uint64_t *at = region(), *fresh = region();

	pound_on(at);
	munmap(at, REGION);
	/* It gets the pages that were just given up, most likely. */
	memset(fresh, 0, REGION);
	watch(at);
	wait_for_failure();
	must(!reads && !writes, "the engine goes on in memory that is unmapped");
	must(pound.last.status == T2_FAULT, "the job does not fail");
	must(all(fresh, REGION, 0), "memory that is somebody else's now was written to");
	munmap(fresh, REGION);
}

static void check_mremap(void)
{
	uint64_t *at = region(), *to = region();

	pound_on(at);
	if (mremap(at, REGION, REGION, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		err(1, "mremap");
	watch(at);
	wait_for_failure();
	must(!reads && !writes, "the engine goes on at the old address");
	for (size_t i = 0; i < REGION / sizeof(*to); i++)
		must(to[i] == pound.number + (i * sizeof(*to) < pound.last.bytes),
		     "contents have changed on the way");
	must(fill(to, REGION, 5).status == T2_OK && all(to, REGION, 5), "the new address");
	munmap(to, REGION);
}

static void check_mprotect(void)
{
	uint64_t *at = region(), *before = allocate(0, REGION);
	struct t2s_wait how;

	pound_on(at);
	mprotect(at, REGION, PROT_READ);
	memcpy(before, at, REGION);
	watch(at);
	wait_for_failure();
	must(!writes && !memcmp(before, at, REGION), "the engine writes to what is read only");
	how = checksum(at, REGION);
	must(how.status == T2_OK && how.result == crc32c((uint8_t *)at, REGION), "it cannot read it");
	mprotect(at, REGION, PROT_NONE);
	must(checksum(at, REGION).status == T2_FAULT, "it reads what nobody may");
	mprotect(at, REGION, PROT_READ | PROT_WRITE);
	must(fill(at, REGION, 6).status == T2_OK && all(at, REGION, 6), "it cannot write again");
	munmap(at, REGION);
	free(before);
}

/* A child has the memory as it was, whatever the engine does to the parent's; and the other way. */
static void check_fork(void)
{
	uint64_t *at = region(), *before = allocate(0, REGION), *between = region();
	int status = -1;
	pid_t child;

	pound_on(at);
	child = fork();
	if (!child) {
		struct t2s_submit job = { .op = T2_OP_FILL, .dst = (uintptr_t)at, .length = REGION };

		memcpy(before, at, REGION);
		usleep(200000);
		_exit(memcmp(before, at, REGION) ? 1 : submit(&job) != -EPERM ? 2 : 0);
	}
	waitpid(child, &status, 0);
	must(WIFEXITED(status) && WEXITSTATUS(status) != 1, "the engine has changed a child's memory");
	must(WIFEXITED(status) && WEXITSTATUS(status) != 2, "a child has used its parent's file");
	must(status == 0, "the child died");
	stop_pounding();
	must(all(at, REGION, pound.number), "the parent does not see what the engine has written");

	/* The CPU takes a page of its own, and the engine has to follow. */
	fill(between, REGION, 1);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	must(checksum(between, REGION).status == T2_OK, "a shared page cannot be read");
	memset(between, 0x44, REGION);
	must(checksum(between, REGION).result == crc32c((uint8_t *)between, REGION),
	     "the engine reads the child's page");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	munmap(at, REGION);
	munmap(between, REGION);
	free(before);
}

/* A process is killed while the engine works for it. */
static void check_exit(void)
{
	void *at = region();
	int up[2];
	pid_t child;
	char c;

	if (pipe(up))
		err(1, "pipe");
	child = fork();
	if (!child) {
		close(accel);
		accel = open_accel();
		pound_on(at);
		if (write(up[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	must(read(up[0], &c, 1) == 1, "the child does not begin");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	watch(at);
	must(!reads && !writes, "the engine goes on when the process is gone");
	close(up[0]);
	close(up[1]);
	munmap(at, REGION);
}

/* A process becomes another program, which has the same addresses for other things. */
static void check_exec(void)
{
	void *at = region();
	pid_t child;
	int up[2];
	char c;

	if (pipe2(up, O_CLOEXEC))
		err(1, "pipe");
	child = fork();
	if (!child) {
		close(accel);
		accel = open_accel();
		pound_on(at);
		execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	close(up[1]);
	must(read(up[0], &c, 1) == 0 && waitpid(child, NULL, WNOHANG) == 0, "there is no other program");
	watch(at);
	must(!reads && !writes, "the engine goes on when the program is gone");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(up[0]);
	munmap(at, REGION);
}

/* Pages become a huge one. */
static void check_collapse(void)
{
	size_t huge = 2 << 20;
	uint8_t *area = map(NULL, 2 * huge, PROT_READ | PROT_WRITE);
	uint64_t *at = (uint64_t *)(((uintptr_t)area + huge - 1) & ~(huge - 1)), before;
	int rc = -1;

	madvise(at, huge, MADV_NOHUGEPAGE);
	memset(at, 0x11, huge);
	madvise(at, huge, MADV_HUGEPAGE);
	pound_on(at);
	/* A page that the driver is just looking at is in the way for a moment. */
	for (int i = 0; i < 1000 && rc; i++) {
		rc = madvise(at, huge, MADV_COLLAPSE);
		if (rc)
			usleep(1000);
	}
	before = pound.number;
	while (pound.number < before + 3 && !pound.failed)
		usleep(1000);
	stop_pounding();
	must(!rc, "it never becomes a huge page");
	must(!pound.failed, "a job has failed");
	must(all(at, REGION, pound.number), "what the engine has written is not there");
	must(all(at + REGION / sizeof(*at), huge - REGION, 0x1111111111111111), "the rest is not as it was");
	munmap(area, 2 * huge);
}

/* How many pages of a range are swapped out. */
static size_t swapped(const void *at, size_t size)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	for (size_t i = 0; i < size / PAGE; i++) {
		uint64_t entry;

		if (pread(pagemap, &entry, sizeof(entry), ((uintptr_t)at / PAGE + i) * sizeof(entry)) !=
		    sizeof(entry))
			err(1, "/proc/self/pagemap");
		n += entry >> 62 & 1;
	}
	close(pagemap);
	return n;
}

/* Pages that CPUs have in batches of their own stay; moving none makes them give those up. */
static void page_out(void *at, size_t size)
{
	int none = 0;

	syscall(SYS_move_pages, 0, 0, NULL, &none, &none, 0);
	if (madvise(at, size, MADV_PAGEOUT))
		err(1, "MADV_PAGEOUT");
}

/* Pages are swapped out; the test sees to it that there is swap. */
static void check_swap(void)
{
	uint64_t *at = region(), before;
	size_t out = 0;

	must(fill(at, REGION, 5).status == T2_OK, "a fill");
	page_out(at, REGION);
	must(swapped(at, REGION) == REGION / PAGE, "not all is swapped out");
	must(checksum(at, REGION).status == T2_OK && all(at, REGION, 5), "it does not come back");

	pound_on(at);
	for (int i = 0; i < 1000 && out < REGION / PAGE && !pound.failed; i++) {
		page_out(at, REGION);
		out += swapped(at, REGION);
	}
	before = pound.number;
	while (pound.number < before + 3 && !pound.failed)
		usleep(1000);
	stop_pounding();
	must(out >= REGION / PAGE, "what the engine works on is not swapped out");
	must(!pound.failed, "a job has failed");
	must(all(at, REGION, pound.number), "what the engine has written is lost");
	munmap(at, REGION);
}

/* A huge page loses half of itself. */
static void check_huge(void)
{
	size_t huge = 2 << 20;
	uint8_t *area = map(NULL, 2 * huge, PROT_READ | PROT_WRITE);
	uint64_t *at = (uint64_t *)(((uintptr_t)area + huge - 1) & ~(huge - 1));

	madvise(at, huge, MADV_HUGEPAGE);
	must(fill(at, huge, 3).status == T2_OK && all(at, huge, 3), "filling a huge page");
	munmap((uint8_t *)at + huge / 2, huge / 2);
	must(fill(at, huge, 4).status == T2_FAULT, "the half that is gone");
	must(all(at, huge / 2, 4), "the half that is left");
	munmap(area, 2 * huge);
}

/* Memory that the engine often uses comes to it, and is as near to it as can be then. */
static void check_hot(void)
{
	size_t size = 1 << 20;
	struct t2s_stats before, after;
	uint64_t *at = allocate(1 << 16, size);

	memset(at, 1, size);
	before = stats();
	for (uint64_t i = 0; i < 1000 && stats().moved - before.moved < size / PAGE; i++)
		must(fill(at, size, i).status == T2_OK, "a fill while pages move");
	after = stats();
	must(after.moved - before.moved >= size / PAGE, "not all pages have come to the device");
	must(after.copied > before.copied, "the engine has copied none of them");
	before = stats();
	must(fill(at, size, 77).status == T2_OK && all(at, size, 77), "a fill after that");
	after = stats();
	must(after.local - before.local == size && after.remote == before.remote,
	     "the engine does not work in its own memory");
	free(at);
}

/* Somebody moves memory back to the host all the time; that is not answered in kind. */
static void check_damping(void)
{
	int cxlmem = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);
	size_t unit = 1 << 16;
	uint64_t *at = allocate(unit, unit);
	struct t2s_stats before = stats(), after;

	memset(at, 1, unit);
	for (int i = 0; i < 100; i++) {
		struct cxlmem_move move = { .size = sizeof(move), .start = (uintptr_t)at, .length = unit };

		for (int n = 0; n < 8; n++)
			must(fill(at, unit, n).status == T2_OK, "a fill");
		if (ioctl(cxlmem, CXLMEM_IOC_MOVE_OUT, &move))
			err(1, "CXLMEM_IOC_MOVE_OUT");
		after = stats();
		if (after.damped - before.damped >= 10)
			break;
	}
	must(after.moved > before.moved, "it was never moved to the device");
	must(after.damped - before.damped >= 10, "the device always gets what it asks for");
	must(after.moved - before.moved <= unit / PAGE, "it moves back and forth");
	close(cxlmem);
	free(at);
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

static void wait_for_line(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		errx(1, "no input");
}

/* The test switches modes meanwhile: a job may have to wait, but none fails. */
static void check_switch(void)
{
	uint64_t *at = region(), before;

	pound_on(at);
	say("ready");
	wait_for_line();
	before = pound.number;
	while (pound.number < before + 3 && !pound.failed)
		usleep(1000);
	stop_pounding();
	must(!pound.failed, "a job has failed");
	must(all(at, REGION, pound.number), "the data are not what the engine has written");
	munmap(at, REGION);
}

/* The card is taken away, or hangs: the last job ends early, and what it did not do is as it was. */
static void check_loss(void)
{
	uint64_t *at = region(), *other = allocate(PAGE, 4 << 20);

	must(fill(other, 4 << 20, 9).status == T2_OK, "a fill");
	pound_on(at);
	say("ready");
	wait_for_line();
	/* Taking memory away has to end, too. */
	mprotect(at, REGION, PROT_READ);
	wait_for_failure();
	must(pound.last.status == T2_ABORTED || pound.error, "the job does not end");
	for (size_t i = 0; i < REGION / sizeof(*at); i++)
		must(at[i] == pound.number + 1 ||
		     (at[i] == pound.number && (pound.error || i * sizeof(*at) >= pound.last.bytes)),
		     "what the engine has written is lost");
	must(all(other, 4 << 20, 9), "memory is lost");
	free(other);
	munmap(at, REGION);
}

/* Per cent of a range that is on the device. */
static unsigned int resident(const void *at, size_t size)
{
	struct cxlmem_residency where = { .size = sizeof(where), .start = (uintptr_t)at,
					  .length = size };
	int cxlmem = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);

	if (cxlmem < 0 || ioctl(cxlmem, CXLMEM_IOC_RESIDENCY, &where))
		err(1, "CXLMEM_IOC_RESIDENCY");
	close(cxlmem);
	return where.device * PAGE * 100 / size;
}

/* What `make demo-type2` shows: pass after pass over the same memory, until the card is gone. */
static void check_demo(void)
{
	size_t size = 8 << 20;
	uint64_t *at = allocate(PAGE, size), pass, word;
	unsigned int percent = 0;
	int rc;

	memset(at, 0, size);
	for (pass = 1; percent < 100 && pass <= 100; pass++) {
		struct t2s_stats before = stats(), after;

		must(fill(at, size, pass).status == T2_OK && all(at, size, pass), "a pass");
		after = stats();
		percent = resident(at, size);
		printf("pass %llu: at %.1f GB/s, and %u %% of the memory are on the device now\n",
		       (unsigned long long)pass, (double)size / (after.time - before.time), percent);
		fflush(stdout);
	}
	for (;; pass++) {
		struct t2s_submit job = { .op = T2_OP_FILL, .dst = (uintptr_t)at, .length = size,
					  .operand = pass };

		rc = submit(&job);
		if (rc || wait_for(job.id).status)
			break;
	}
	for (word = 0; word < size / sizeof(*at) && at[word] == pass; word++)
		;
	must(all(at + word, size - word * sizeof(*at), pass - 1), "something is lost");
	printf("the card is gone at %llu %% of pass %llu, and nothing is lost: the rest is of the pass before\n",
	       (unsigned long long)(word * sizeof(*at) * 100 / size), (unsigned long long)pass);
	free(at);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } checks[] = {
		{ "work", check_work },
		{ "locked", check_locked },
		{ "munmap", check_munmap },
		{ "mremap", check_mremap },
		{ "mprotect", check_mprotect },
		{ "fork", check_fork },
		{ "exit", check_exit },
		{ "exec", check_exec },
		{ "collapse", check_collapse },
		{ "swap", check_swap },
		{ "huge", check_huge },
		{ "hot", check_hot },
		{ "damping", check_damping },
		{ "switch", check_switch },
		{ "loss", check_loss },
		{ "demo", check_demo },
	};
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		wrong = "there is no such check";
		for (size_t n = 0; n < NR(checks); n++) {
			if (!strcmp(argv[i], checks[n].name)) {
				wrong = NULL;
				accel = open_accel();
				checks[n].run();
				close(accel);
			}
		}
		bad += wrong != NULL;
		printf("%s %s\n", argv[i], wrong ? wrong : "ok");
		fflush(stdout);
	}
	return bad != 0;
}
