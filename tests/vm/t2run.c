// SPDX-License-Identifier: GPL-2.0
/*
 * Drives the engine of a Type-2 function (tests/type2) without a driver: by its
 * registers and its own page tables, with pages of this process. The kernel must
 * not move them meanwhile; nothing but a test can get away with that.
 *
 *	t2run PCIADDR NODE CHECK...
 *
 * Checks: what the engine and the CPU can do to the same memory, which is on that
 * node. Prints a line "CHECK ok" or what is wrong.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "../type2/t2accel.h"

#define PAGE	4096ul
#define PAGES	64ul
#define ENTRIES	32u
#define PASID	5u
#define SECONDS	20

#define QUEUE(reg) (T2_QUEUE(0) + (reg))

static volatile uint32_t *regs;
static struct t2_command *ring;
static volatile struct t2_completion *done_ring;
static volatile struct t2_fault *fault_ring;
static volatile struct t2_hot *hot_ring;
static uint64_t *pasids;
static uint8_t *data;			/* PAGES of them */
static uint32_t given, completed, faults, hots;
static const char *wrong;

static uint32_t get(uint32_t reg) { return regs[reg / 4]; }
static void set(uint32_t reg, uint32_t value) { regs[reg / 4] = value; }

static void set64(uint32_t reg, uint64_t value)
{
	set(reg, value);
	set(reg + 4, value >> 32);
}

static void *pages(unsigned int n, unsigned int node)
{
	void *at = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long mask = 1ul << node;

	if (at == MAP_FAILED ||
	    syscall(SYS_mbind, at, n * PAGE, MPOL_BIND, &mask, 8 * sizeof(mask), 0) ||
	    mlock(at, n * PAGE))
		err(1, "memory on node %u", node);
	memset(at, 0, n * PAGE);
	return at;
}

static uint64_t physical(volatile const void *at)
{
	static int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY);
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)at / PAGE * sizeof(entry)) != sizeof(entry) ||
	    !(entry >> 63))
		err(1, "/proc/self/pagemap");
	return (entry & ((1ull << 55) - 1)) * PAGE + (uintptr_t)at % PAGE;
}

static void open_function(const char *pci)
{
	char path[128];
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", pci);
	fd = open(path, O_RDWR);
	if (fd < 0)
		err(1, "%s", path);
	regs = mmap(NULL, T2_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	/* Memory space and Bus Master Enable. */
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", pci);
	fd = open(path, O_RDWR);
	if (regs == MAP_FAILED || pread(fd, &command, 2, 4) != 2)
		err(1, "%s", path);
	command |= 6;
	if (pwrite(fd, &command, 2, 4) != 2)
		err(1, "%s", path);
	close(fd);
	if (get(T2_ID) != T2_ID_VALUE)
		errx(1, "%s is not a t2accel: %#x", pci, get(T2_ID));
}

static void start_engine(unsigned int node)
{
	set(T2_CTRL, T2_CTRL_RESET);
	ring = pages(1, 0);
	done_ring = pages(1, 0);
	fault_ring = pages(1, 0);
	hot_ring = pages(1, 0);
	pasids = pages(1, 0);
	data = pages(PAGES, node);
	set64(QUEUE(T2_QUEUE_RING), physical(ring));
	set64(QUEUE(T2_QUEUE_DONE_RING), physical(done_ring));
	set(QUEUE(T2_QUEUE_SIZE), ENTRIES);
	set64(T2_FAULT_RING, physical(fault_ring));
	set(T2_FAULT_SIZE, ENTRIES);
	set64(T2_HOT_RING, physical(hot_ring));
	set(T2_HOT_SIZE, ENTRIES);
	set64(T2_PASID_TABLE, physical(pasids));
	set(T2_PASIDS, PASID + 1);
	set(T2_CTRL, T2_CTRL_ENABLE);
	set(QUEUE(T2_QUEUE_CTRL), T2_QUEUE_ENABLE);
}

/* The entry for a page of ours in the engine's page table, whose tables are found by their place here. */
static uint64_t *pte(const void *at)
{
	static struct { uint64_t entry; uint64_t *table; } known[64];
	uint64_t *entry = &pasids[PASID];

	for (int level = 3; level >= 0; level--) {
		unsigned int i = 0;

		while (known[i].table && known[i].entry != (*entry & T2_PTE_ADDRESS))
			i++;
		if (!*entry) {
			known[i].table = pages(1, 0);
			known[i].entry = physical(known[i].table);
			*entry = known[i].entry | T2_PTE_PRESENT;
		}
		entry = &known[i].table[((uintptr_t)at >> (12 + 9 * level)) % 512];
	}
	return entry;
}

static void give(struct t2_command c)
{
	c.cookie = given;
	ring[given++ % ENTRIES] = c;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	set(QUEUE(T2_QUEUE_GIVEN), given);
}

/* Does what a driver does about a fault: here, any page of ours may be used. */
static void serve_fault(void)
{
	volatile struct t2_fault *f = &fault_ring[faults % ENTRIES];
	uint8_t *page;

	if (f->seq != faults + 1)
		return;
	page = data + (f->address - (uintptr_t)data);
	*pte(page) = physical(page) | T2_PTE_PRESENT | T2_PTE_WRITE;
	set(T2_FAULT_TAKEN, ++faults);
	set(QUEUE(T2_QUEUE_RESUME), faults);
}

/* The next completion; the program ends if there is none for long. */
static struct t2_completion take(void)
{
	volatile struct t2_completion *c = &done_ring[completed % ENTRIES];
	time_t end = time(NULL) + SECONDS;
	struct t2_completion copy;

	while (c->seq != completed + 1) {
		serve_fault();
		if (time(NULL) > end)
			errx(1, "command %u is not done after %d s: state %u, error %#x", completed,
			     SECONDS, get(QUEUE(T2_QUEUE_STATE)), get(T2_ERROR));
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	copy = *(struct t2_completion *)c;
	set(QUEUE(T2_QUEUE_TAKEN), ++completed);
	return copy;
}

static struct t2_completion run(struct t2_command c)
{
	give(c);
	return take();
}

static void must(bool condition, const char *what)
{
	if (!condition && !wrong)
		wrong = what;
}

static bool all(const uint8_t *at, uint8_t value, size_t size)
{
	while (size && *at == value)
		at++, size--;
	return !size;
}

/* By physical address, one page. */
static void check_physical(void)
{
	struct t2_completion c;

	c = run((struct t2_command) { .op = T2_OP_FILL, .dst = physical(data), .length = PAGE,
				      .operand = 0xabababababababab });
	must(c.status == T2_OK && all(data, 0xab, PAGE), "the CPU does not see what the engine has filled");
	memset(data, 0x77, PAGE);
	c = run((struct t2_command) { .op = T2_OP_COPY, .src = physical(data),
				      .dst = physical(data + PAGE), .length = PAGE });
	must(c.status == T2_OK && all(data + PAGE, 0x77, PAGE), "the engine did not copy what the CPU wrote");
}

/* By our own addresses: each page faults once, is brought in, and the work goes on. */
static void check_virtual(void)
{
	uint32_t before = faults;
	struct t2_completion c;

	c = run((struct t2_command) { .op = T2_OP_FILL, .flags = T2_DST_VIRTUAL, .pasid = PASID,
				      .dst = (uintptr_t)data, .length = PAGES / 2 * PAGE,
				      .operand = 0x3131313131313131 });
	must(c.status == T2_OK && all(data, 0x31, PAGES / 2 * PAGE), "filling by virtual address");
	must(faults - before == PAGES / 2, "not one fault for each page");
	c = run((struct t2_command) { .op = T2_OP_COPY, .flags = T2_SRC_VIRTUAL | T2_DST_VIRTUAL,
				      .pasid = PASID, .src = (uintptr_t)data + 100,
				      .dst = (uintptr_t)data + PAGES / 2 * PAGE + 7,
				      .length = PAGES / 2 * PAGE - 200 });
	must(c.status == T2_OK && all(data + PAGES / 2 * PAGE + 7, 0x31, PAGES / 2 * PAGE - 200),
	     "copying by virtual address");
	must(faults - before == PAGES, "a page that was there faulted again");
}

/* Both add to the same words at the same time. */
static void check_atomics(void)
{
	uint64_t *words = (uint64_t *)data, rounds = 500, left = rounds, added = 0;
	bool right = true;

	memset(words, 0, 64);
	while (left || completed != given) {
		while (left && given - completed < ENTRIES) {
			give((struct t2_command) { .op = T2_OP_ADD, .dst = physical(words), .length = 64,
						   .operand = 1 });
			left--;
		}
		for (int n = 0; n < 100; n++, added++)
			__atomic_fetch_add(&words[added % 8], 1000000, __ATOMIC_SEQ_CST);
		if (take().status)
			right = false;
	}
	for (uint64_t i = 0; i < 8; i++)
		right &= words[i] == rounds + (added / 8 + (i < added % 8)) * 1000000;
	must(right, "the sums are not those of all additions");
}

static void check_ping_pong(void)
{
	volatile uint64_t *word = (uint64_t *)data;

	for (uint64_t n = 0; n < 200; n++) {
		struct t2_completion c;

		*word = n;
		c = run((struct t2_command) { .op = T2_OP_COMPARE_SWAP, .dst = physical(data), .length = 8,
					      .compare = n, .operand = ~n });
		must(c.status == T2_OK && c.result == n && *word == ~n, "one side saw an old value");
	}
}

/* A page is replaced: after the invalidation the engine uses the new one, and it alone. */
static void check_invalidate(void)
{
	struct t2_command c = { .op = T2_OP_FILL, .flags = T2_DST_VIRTUAL, .pasid = PASID,
				.dst = (uintptr_t)data, .length = PAGE, .operand = ~0ull };
	uint32_t before = get(T2_INV_DONE);

	run(c);
	memset(data, 0, 2 * PAGE);
	*pte(data) = physical(data + PAGE) | T2_PTE_PRESENT | T2_PTE_WRITE;
	set64(T2_INV_ADDR, (uintptr_t)data);
	set(T2_INV_PASID, PASID);
	set(T2_INV_PAGES, 1);
	while (get(T2_INV_DONE) == before)
		;
	run(c);
	must(all(data, 0, PAGE) && all(data + PAGE, 0xff, PAGE), "the engine used the old page");
	*pte(data) = physical(data) | T2_PTE_PRESENT | T2_PTE_WRITE;
	set(T2_INV_PAGES, 1);
}

/* Says how many reports there are of a page that the engine works on for a while. */
static void check_hot(void)
{
	hots = 0;
	set(T2_HOT_THRESHOLD, 10);
	for (int n = 0; n < 35; n++)
		run((struct t2_command) { .op = T2_OP_CHECKSUM, .src = physical(data), .length = 64 });
	set(T2_HOT_THRESHOLD, 0);
	while (hot_ring[hots % ENTRIES].seq == hots + 1) {
		must(hot_ring[hots % ENTRIES].address == physical(data), "another page was reported");
		set(T2_HOT_TAKEN, ++hots);
	}
	printf("hot %u reports\n", hots);
}

/* Has a command for the physical address of our first page fail; says how. */
static void check_status(void)
{
	struct t2_completion c = run((struct t2_command) { .op = T2_OP_CHECKSUM, .src = physical(data),
							   .length = PAGE });

	printf("status %u error %#x\n", c.status, get(T2_ERROR));
}

/* Nothing happens to a command. */
static void check_stuck(void)
{
	give((struct t2_command) { .op = T2_OP_NOP });
	sleep(1);
	must(done_ring[completed % ENTRIES].seq != completed + 1, "a command is done");
	must(get(QUEUE(T2_QUEUE_STATE)) == T2_QUEUE_RUNNING, "the queue does not say that it is at work");
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } checks[] = {
		{ "physical", check_physical },
		{ "virtual", check_virtual },
		{ "atomics", check_atomics },
		{ "ping-pong", check_ping_pong },
		{ "invalidate", check_invalidate },
		{ "hot", check_hot },
		{ "status", check_status },
		{ "stuck", check_stuck },
	};
	int bad = 0;

	if (argc < 4)
		errx(2, "usage: t2run PCIADDR NODE CHECK...");
	open_function(argv[1]);
	start_engine(atoi(argv[2]));
	for (int i = 3; i < argc; i++) {
		wrong = "there is no such check";
		for (size_t n = 0; n < sizeof(checks) / sizeof(checks[0]); n++) {
			if (!strcmp(argv[i], checks[n].name)) {
				wrong = NULL;
				checks[n].run();
			}
		}
		bad += wrong != NULL;
		printf("%s %s\n", argv[i], wrong ? wrong : "ok");
	}
	/* Our pages are somebody else's soon. */
	set(T2_CTRL, T2_CTRL_RESET);
	return bad != 0;
}
