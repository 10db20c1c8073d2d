// SPDX-License-Identifier: GPL-2.0
/*
 * Talks to the model as QEMU does, over a socket, and to its engine as a driver
 * does, through registers and rings in memory that both share.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "model.h"

enum { GREETING = 1, DMA_MAP = 2, DMA_UNMAP = 3, GET_INFO = 4, GET_REGION_INFO = 5, GET_IRQ_INFO = 7,
       SET_IRQS = 8, REGION_READ = 9, REGION_WRITE = 10, RESET = 13 };

#define CONFIG_REGION	7
#define HOST_SIZE	(1u << 20)
#define HDM_BASE	0x100000000ull
#define HDM_SIZE	(256ull << 20)

/* Where things are in host memory. */
#define RING		0x1000u
#define DONE_RING	0x2000u
#define FAULT_RING	0x3000u
#define HOT_RING	0x4000u
#define PASIDS		0x5000u
#define TABLES		0x6000u		/* one page for each level */
#define DATA		0x10000u
#define ENTRIES		16u
#define NOT_DONE	~0u

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

struct bench {
	struct t2 *t;
	int fd;				/* the client's end */
	int host_fd, hdm_fd, irq;
	uint8_t *host, *hdm;
	uint32_t given, taken;
	uint8_t reply[MAX_MESSAGE];
	size_t reply_size;
};

/* Sends a message in two parts. False: the server has hung up. */
static bool send_message(struct bench *b, uint16_t command, const void *data, size_t size,
			 const int *fds, unsigned int nfds)
{
	struct header header = { .id = 7, .command = command, .size = sizeof(header) + size };
	union { struct cmsghdr align; char space[CMSG_SPACE(MAX_FDS * sizeof(int))]; } ancillary;
	struct iovec iov = { &header, sizeof(header) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	bool alive;

	if (nfds) {
		msg.msg_control = &ancillary;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		ancillary.align.cmsg_level = SOL_SOCKET;
		ancillary.align.cmsg_type = SCM_RIGHTS;
		ancillary.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&ancillary.align), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(b->fd, &msg, 0), sizeof(header));
	alive = protocol_receive(b->t);
	if (alive && size) {
		assert_int_equal(send(b->fd, data, size, 0), size);
		alive = protocol_receive(b->t);
	}
	return alive;
}

/* A request and its reply, whose data is left in b->reply. Returns the reply's error. */
static int request_fds(struct bench *b, uint16_t command, const void *data, size_t size,
		       const int *fds, unsigned int nfds)
{
	struct header header;
	ssize_t n;

	assert_true(send_message(b, command, data, size, fds, nfds));
	n = recv(b->fd, b->reply, sizeof(b->reply), 0);
	assert_true(n >= (ssize_t)sizeof(header));
	memcpy(&header, b->reply, sizeof(header));
	assert_int_equal(header.id, 7);
	assert_int_equal(header.command, command);
	assert_int_equal(header.size, n);
	assert_int_equal(header.flags, header.error ? 0x21 : 0x01);
	b->reply_size = n - sizeof(header);
	memmove(b->reply, b->reply + sizeof(header), b->reply_size);
	return header.error;
}

static int request(struct bench *b, uint16_t command, const void *data, size_t size)
{
	return request_fds(b, command, data, size, NULL, 0);
}

static int map(struct bench *b, uint64_t start, uint64_t size, int fd, uint64_t offset)
{
	struct { uint32_t argsz, flags; uint64_t offset, start, size; } m = { 32, 3, offset, start, size };

	return request_fds(b, DMA_MAP, &m, sizeof(m), &fd, fd >= 0);
}

static int unmap(struct bench *b, uint64_t start, uint64_t size)
{
	struct { uint32_t argsz, flags; uint64_t start, size; } m = { 24, 0, start, size };

	return request(b, DMA_UNMAP, &m, sizeof(m));
}

static int get_info(struct bench *b)
{
	uint32_t info[4] = { sizeof(info) };

	return request(b, GET_INFO, info, sizeof(info));
}

struct access { uint64_t offset; uint32_t region, count; uint64_t value; };

static uint64_t read_region(struct bench *b, uint32_t region, uint64_t offset, uint32_t count)
{
	struct access a = { offset, region, count, 0 };
	uint64_t value = 0;

	assert_int_equal(request(b, REGION_READ, &a, 16), 0);
	assert_int_equal(b->reply_size, 16 + count);
	memcpy(&value, b->reply + 16, count);
	return value;
}

static void write_region(struct bench *b, uint32_t region, uint64_t offset, uint32_t count,
			 uint64_t value)
{
	struct access a = { offset, region, count, value };

	assert_int_equal(request(b, REGION_WRITE, &a, 16 + count), 0);
}

static uint32_t reg(struct bench *b, uint32_t offset) { return read_region(b, T2_BAR_REGS, offset, 4); }
static void set(struct bench *b, uint32_t offset, uint32_t v) { write_region(b, T2_BAR_REGS, offset, 4, v); }
static void set64(struct bench *b, uint32_t offset, uint64_t v) { write_region(b, T2_BAR_REGS, offset, 8, v); }

static void *map_memory(int *fd, uint64_t size)
{
	void *at;

	*fd = memfd_create("t2", MFD_CLOEXEC);
	assert_int_equal(ftruncate(*fd, size), 0);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(at != MAP_FAILED);
	return at;
}

static void connect_bench(struct bench *b, bool committed)
{
	char version[128] = { 0 };
	int fds[2];

	b->t = t2_new(HDM_BASE, HDM_SIZE, 0x1234, committed);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	b->fd = fds[0];
	protocol_open(b->t, fds[1]);
	b->host = map_memory(&b->host_fd, HOST_SIZE);
	b->hdm = map_memory(&b->hdm_fd, HDM_SIZE);
	strcpy(version + 4, "{\"capabilities\":{}}");
	assert_int_equal(request(b, GREETING, version, sizeof(version)), 0);
	assert_non_null(strstr((char *)b->reply + 4, "max_msg_fds"));
}

static void enable_queue(struct bench *b)
{
	memset(b->host, 0, DATA);
	b->given = b->taken = 0;
	set64(b, T2_QUEUE(0) + T2_QUEUE_RING, RING);
	set64(b, T2_QUEUE(0) + T2_QUEUE_DONE_RING, DONE_RING);
	set(b, T2_QUEUE(0) + T2_QUEUE_SIZE, ENTRIES);
	set64(b, T2_FAULT_RING, FAULT_RING);
	set(b, T2_FAULT_SIZE, ENTRIES);
	set64(b, T2_HOT_RING, HOT_RING);
	set(b, T2_HOT_SIZE, ENTRIES);
	set64(b, T2_PASID_TABLE, PASIDS);
	set(b, T2_PASIDS, 8);
	set(b, T2_CTRL, T2_CTRL_ENABLE);
	set(b, T2_QUEUE(0) + T2_QUEUE_CTRL, T2_QUEUE_ENABLE);
}

static int setup(void **state)
{
	struct { uint32_t argsz, flags, index, start, count; } irqs = { 20, 0x24, 2, 0, T2_VECTORS };
	static struct bench bench;
	struct bench *b = &bench;
	int fds[T2_VECTORS];

	*b = (struct bench) { 0 };
	connect_bench(b, true);
	assert_int_equal(map(b, 0, HOST_SIZE, b->host_fd, 0), 0);
	assert_int_equal(map(b, HDM_BASE, HDM_SIZE, b->hdm_fd, 0), 0);
	assert_int_equal(get_info(b), 0);
	/* All vectors are one eventfd, which is enough to see that there was one. */
	b->irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (int i = 0; i < T2_VECTORS; i++)
		fds[i] = b->irq;
	assert_int_equal(request_fds(b, SET_IRQS, &irqs, sizeof(irqs), fds, T2_VECTORS), 0);
	write_region(b, CONFIG_REGION, 0x80 + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	write_region(b, CONFIG_REGION, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	enable_queue(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	t2_free(b->t);
	close(b->fd);
	close(b->host_fd);
	close(b->hdm_fd);
	close(b->irq);
	munmap(b->host, HOST_SIZE);
	munmap(b->hdm, HDM_SIZE);
	return 0;
}

static bool interrupted(struct bench *b)
{
	uint64_t count;

	return read(b->irq, &count, sizeof(count)) > 0;
}

static void run_engine(struct bench *b)
{
	for (int i = 0; engine_step(b->t); i++)
		assert_true(i < 100000);
}

static void give(struct bench *b, struct t2_command c)
{
	c.cookie = b->given + 100;
	memcpy(b->host + RING + b->given++ % ENTRIES * sizeof(c), &c, sizeof(c));
	set(b, T2_QUEUE(0) + T2_QUEUE_GIVEN, b->given);
	run_engine(b);
}

/* The next completion; its status is NOT_DONE if there is none. */
static struct t2_completion taken(struct bench *b)
{
	struct t2_completion c;

	memcpy(&c, b->host + DONE_RING + b->taken % ENTRIES * sizeof(c), sizeof(c));
	if (c.seq != b->taken + 1)
		return (struct t2_completion) { .status = NOT_DONE };
	assert_int_equal(c.cookie, b->taken + 100);
	set(b, T2_QUEUE(0) + T2_QUEUE_TAKEN, ++b->taken);
	return c;
}

static struct t2_completion run(struct bench *b, struct t2_command c)
{
	give(b, c);
	return taken(b);
}

static uint32_t status(struct bench *b, struct t2_command c) { return run(b, c).status; }

static bool all(const uint8_t *at, uint8_t value, size_t size)
{
	while (size && *at == value)
		at++, size--;
	return !size;
}

/* The page table of PASID 1 has this for an address below 2 MiB. */
static void set_pte(struct bench *b, uint64_t address, uint64_t entry)
{
	uint64_t *table = (uint64_t *)(b->host + PASIDS) + 1;

	for (int level = 0; level < 4; level++) {
		*table = (TABLES + level * PAGE) | T2_PTE_PRESENT;
		table = (uint64_t *)(b->host + TABLES + (size_t)level * PAGE);
	}
	table[address / PAGE] = entry;
}

/* Report number `n` of its ring. */
static struct t2_fault fault(struct bench *b, uint32_t n)
{
	struct t2_fault f;

	memcpy(&f, b->host + FAULT_RING + n % ENTRIES * sizeof(f), sizeof(f));
	assert_int_equal(f.seq, n + 1);
	return f;
}

static void test_protocol(void **state)
{
	struct access outside = { CONFIG_SIZE - 2, CONFIG_REGION, 4, 0 };
	uint32_t info[8] = { sizeof(info), 0, 2 };
	struct bench *b = *state;

	assert_int_equal(request(b, GET_REGION_INFO, info, sizeof(info)), 0);
	memcpy(info, b->reply, sizeof(info));
	assert_int_equal(info[1], 3);
	assert_int_equal(info[4], T2_BAR_SIZE);
	info[2] = 9;
	assert_int_equal(request(b, GET_REGION_INFO, info, sizeof(info)), EINVAL);
	assert_int_equal(request(b, GET_REGION_INFO, info, 8), EINVAL);
	info[2] = 2;
	assert_int_equal(request(b, GET_IRQ_INFO, info, 16), 0);
	memcpy(info, b->reply, 16);
	assert_int_equal(info[3], T2_VECTORS);
	assert_int_equal(request(b, REGION_READ, &outside, 16), EINVAL);
	outside.offset = UINT64_MAX;
	assert_int_equal(request(b, REGION_WRITE, &outside, 20), EINVAL);
	outside = (struct access) { 0, CONFIG_REGION, 4, 0 };
	assert_int_equal(request(b, REGION_WRITE, &outside, 18), EINVAL);
	assert_int_equal(request(b, 99, NULL, 0), ENOTSUP);
	assert_int_equal(request(b, RESET, NULL, 0), 0);
}

/* What breaks the protocol ends the connection. */
static void test_hangs_up(void **state)
{
	struct header bad[] = {
		{ .command = GREETING, .size = 8 },
		{ .command = GREETING, .size = 0xffffffff },
		{ .command = REGION_READ, .size = 16 },		/* before the greeting */
		{ .command = GREETING, .size = 16, .flags = 1 },	/* a reply */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct t2 *t = t2_new(HDM_BASE, HDM_SIZE, 1, true);
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		protocol_open(t, fds[1]);
		assert_int_equal(send(fds[0], &bad[i], sizeof(bad[i]), 0), sizeof(bad[i]));
		assert_false(protocol_receive(t));
		t2_free(t);
		close(fds[0]);
	}
}

static void test_maps(void **state)
{
	struct bench *b = *state;
	void *at;

	assert_int_equal(map(b, PAGE, PAGE, -1, 0), EEXIST);
	assert_int_equal(map(b, -(uint64_t)PAGE, 2ul * PAGE, -1, 0), EINVAL);
	assert_int_equal(map(b, 0x80000000, 1, -1, 0), EINVAL);
	assert_int_equal(unmap(b, 0, PAGE), ENOENT);
	/* Without a file, or beyond its end: it is there, but out of reach. */
	assert_int_equal(map(b, 0x80000000, PAGE, -1, 0), 0);
	assert_int_equal(memory_at(b->t, 0x80000000, 8, false, &at), T2_NO_MEMORY);
	assert_int_equal(unmap(b, 0x80000000, PAGE), 0);
	assert_int_equal(map(b, 0x80000000, PAGE, b->host_fd, HOST_SIZE), 0);
	assert_int_equal(memory_at(b->t, 0x80000000, 8, false, &at), T2_NO_MEMORY);
	assert_int_equal(memory_at(b->t, HOST_SIZE - 4, 8, false, &at), T2_NO_MEMORY);
	assert_int_equal(memory_at(b->t, HOST_SIZE - 8, 8, false, &at), T2_OK);
}

static void test_refuses_private_memory(void **state)
{
	struct bench b = { 0 };
	void *copy;

	(void)state;
	connect_bench(&b, true);
	assert_int_equal(get_info(&b), EINVAL);
	assert_true(b.t->quit);
	/* As QEMU does with share=off. */
	copy = mmap(NULL, HDM_SIZE, PROT_READ, MAP_PRIVATE, b.hdm_fd, 0);
	assert_true(copy != MAP_FAILED);
	assert_int_equal(map(&b, HDM_BASE, HDM_SIZE, b.hdm_fd, 0), 0);
	assert_int_equal(get_info(&b), EINVAL);
	munmap(copy, HDM_SIZE);
	assert_int_equal(unmap(&b, HDM_BASE, HDM_SIZE), 0);
	assert_int_equal(map(&b, HDM_BASE, HDM_SIZE, b.hdm_fd, 0), 0);
	assert_int_equal(get_info(&b), 0);
	t2_free(b.t);
	close(b.fd), close(b.host_fd), close(b.hdm_fd);
	munmap(b.host, HOST_SIZE), munmap(b.hdm, HDM_SIZE);
}

static void test_config(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_region(b, CONFIG_REGION, 0, 4), T2_PCI_VENDOR | T2_PCI_DEVICE << 16);
	write_region(b, CONFIG_REGION, PCI_BASE_ADDRESS_0, 4, ~0u);
	assert_int_equal(read_region(b, CONFIG_REGION, PCI_BASE_ADDRESS_0, 4), (uint32_t)-T2_BAR_SIZE | 4);
	write_region(b, CONFIG_REGION, 0, 4, 0);
	assert_int_equal(read_region(b, CONFIG_REGION, 0, 2), T2_PCI_VENDOR);

	/* A function level reset stops the engine and leaves the decoder alone. */
	assert_int_equal(reg(b, T2_CTRL), T2_CTRL_ENABLE);
	write_region(b, CONFIG_REGION, 0x40 + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(reg(b, T2_CTRL), 0);
	assert_int_equal(read_region(b, CONFIG_REGION, PCI_COMMAND, 2), 0);
	assert_true(component_decodes(b->t));
}

static void test_errors(void **state)
{
	struct bench *b = *state;
	char *reply = control(b->t, "error fatal");

	assert_string_equal(reply, "ok\n");
	free(reply);
	assert_int_equal(read_region(b, CONFIG_REGION, 0x110 + PCI_ERR_UNCOR_STATUS, 4), PCI_ERR_UNC_INTN);
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, 0x1080, 4), 1 << 7);
	/* Ones clear. */
	write_region(b, CONFIG_REGION, 0x110 + PCI_ERR_UNCOR_STATUS, 4, PCI_ERR_UNC_INTN);
	assert_int_equal(read_region(b, CONFIG_REGION, 0x110 + PCI_ERR_UNCOR_STATUS, 4), 0);
	write_region(b, T2_BAR_COMPONENT, 0x1080, 4, 1 << 7);
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, 0x1080, 4), 0);

	/* One that memory has no part in. */
	reply = control(b->t, "error nonfatal io");
	assert_string_equal(reply, "ok\n");
	free(reply);
	assert_int_equal(read_region(b, CONFIG_REGION, 0x110 + PCI_ERR_UNCOR_STATUS, 4), PCI_ERR_UNC_INTN);
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, 0x1080, 4), 0);
	reply = control(b->t, "error nonfatal memory");
	assert_string_equal(reply, "error: error needs one of: correctable nonfatal fatal, and maybe: io\n");
	free(reply);
}

#define DECODER(at)	(0x1100 + (at))

static void commit(struct bench *b, uint64_t base, uint64_t size, uint32_t ctrl)
{
	write_region(b, T2_BAR_COMPONENT, DECODER(0x20), 4, 0);
	write_region(b, T2_BAR_COMPONENT, DECODER(0x10), 8, base);
	write_region(b, T2_BAR_COMPONENT, DECODER(0x18), 8, size);
	write_region(b, T2_BAR_COMPONENT, DECODER(0x04), 4, 2);
	write_region(b, T2_BAR_COMPONENT, DECODER(0x20), 4, ctrl | 1 << 9);
}

static void test_decoder(void **state)
{
	struct bench *b = *state;

	/* The firmware's does not move. */
	commit(b, 0, 0, 0);
	assert_true(component_decodes(b->t));
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, DECODER(0x10), 8), HDM_BASE);

	b->t->committed = false;
	t2_reset(b->t);
	assert_false(component_decodes(b->t));
	commit(b, HDM_BASE + HDM_SIZE, HDM_SIZE, 0);
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, DECODER(0x20), 4), 1 << 9 | 1 << 11);
	commit(b, HDM_BASE, HDM_SIZE, 1 << 12);
	assert_false(component_decodes(b->t));
	commit(b, HDM_BASE, HDM_SIZE, 0);
	assert_int_equal(read_region(b, T2_BAR_COMPONENT, DECODER(0x20), 4), 1 << 9 | 1 << 10);
	assert_true(component_decodes(b->t));
}

static uint32_t doe(struct bench *b, const uint32_t *words, unsigned int n, uint32_t *response)
{
	uint32_t length = 0;

	for (unsigned int i = 0; i < n; i++)
		write_region(b, CONFIG_REGION, 0x1e0 + 0x10, 4, words[i]);
	write_region(b, CONFIG_REGION, 0x1e0 + 0x08, 4, 1u << 31);
	while (read_region(b, CONFIG_REGION, 0x1e0 + 0x0c, 4) & 1u << 31) {
		response[length++] = read_region(b, CONFIG_REGION, 0x1e0 + 0x14, 4);
		write_region(b, CONFIG_REGION, 0x1e0 + 0x14, 4, 0);
	}
	return length;
}

/* As Linux finds out what the mailbox is good for. */
static void test_discovery(void **state)
{
	uint32_t words[3] = { 0x00000001, 3, 0 }, response[64];
	struct bench *b = *state;

	assert_int_equal(doe(b, words, 3, response), 3);
	assert_int_equal(response[0], words[0]);
	assert_int_equal(response[2], 0x01000001);
	words[2] = 1;
	assert_int_equal(doe(b, words, 3, response), 3);
	assert_int_equal(response[2], 0x00021e98);
}

static void test_cdat(void **state)
{
	uint32_t words[3] = { 0x00021e98, 3, 0 }, response[64] = {};
	uint8_t sum = 0, *bytes = (uint8_t *)(response + 3);
	struct bench *b = *state;
	unsigned int total = 0;

	for (uint32_t entry = 0, length; entry != 0xffff; entry = response[2] >> 16) {
		words[2] = entry << 16;
		length = doe(b, words, 3, response);
		assert_true(length > 3 && length == response[1]);
		for (uint32_t i = 0; i < 4 * (length - 3); i++)
			sum += bytes[i];
		total += 4 * (length - 3);
	}
	assert_int_equal(sum, 0);
	assert_int_equal(total, 16 + 24 + 2 * 24);
	assert_int_equal(doe(b, words, 2, response), 0);
	words[2] = 99 << 16;
	assert_int_equal(doe(b, words, 3, response), 0);
}

static void test_operations(void **state)
{
	struct bench *b = *state;
	uint64_t *words = (uint64_t *)(b->hdm + 0x1000);
	struct t2_completion done;

	/* Across pages, at odd places, between both memories. */
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_FILL, .dst = DATA + 3,
				.length = 10000, .operand = 0x5555555555555555 }), T2_OK);
	assert_true(all(b->host + DATA + 3, 0x55, 10000));
	assert_true(all(b->host + DATA, 0, 3));
	assert_int_equal(b->host[DATA + 10003], 0);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_COPY, .src = DATA + 3,
				.dst = HDM_BASE + 77, .length = 10000 }), T2_OK);
	assert_true(all(b->hdm + 77, 0x55, 10000));
	assert_int_equal(b->hdm[10077], 0);

	/* The test vector that all use. */
	memcpy(b->host + DATA, "123456789", 9);
	done = run(b, (struct t2_command) { .op = T2_OP_CHECKSUM, .src = DATA, .length = 9 });
	assert_int_equal(done.result, 0xe3069283);
	assert_int_equal(done.bytes, 9);

	words[0] = 5, words[1] = 6;
	done = run(b, (struct t2_command) { .op = T2_OP_ADD, .dst = HDM_BASE + 0x1000, .length = 16,
		   .operand = 10 });
	assert_int_equal(done.result, 5);
	assert_int_equal(words[1], 16);
	done = run(b, (struct t2_command) { .op = T2_OP_COMPARE_SWAP, .dst = HDM_BASE + 0x1000, .length = 8,
		   .compare = 15, .operand = 99 });
	assert_int_equal(done.result, 15);
	assert_int_equal(words[0], 99);
	run(b, (struct t2_command) { .op = T2_OP_COMPARE_SWAP, .dst = HDM_BASE + 0x1000, .length = 8,
	    .compare = 15, .operand = 1 });
	assert_int_equal(words[0], 99);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_NOP }), T2_OK);
	assert_false(interrupted(b));
	assert_int_equal(status(b, (struct t2_command) { .flags = T2_INTERRUPT }), T2_OK);
	assert_true(interrupted(b));
}

static void test_lists(void **state)
{
	struct bench *b = *state;
	struct t2_segment *list = (void *)(b->host + DATA);

	list[0] = (struct t2_segment) { DATA + 0x1000, 3 };
	list[1] = (struct t2_segment) { DATA + 0x2ffe, 5 };
	list[2] = (struct t2_segment) { HDM_BASE + 0xfff, 2 };
	list[3] = (struct t2_segment) { HDM_BASE + 0x8000, 100 };
	memcpy(b->host + DATA + 0x1000, "abc", 3);
	memcpy(b->host + DATA + 0x2ffe, "defgh", 5);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_COPY, .flags = T2_SRC_LIST | T2_DST_LIST,
				.src = DATA, .src_count = 2, .dst = DATA + 32, .dst_count = 2, .length = 8 }),
			 T2_OK);
	assert_memory_equal(b->hdm + 0xfff, "ab", 2);
	assert_memory_equal(b->hdm + 0x8000, "cdefgh", 6);
	/* A list that is too short, and one with nothing in it. */
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_COPY, .flags = T2_SRC_LIST,
				.src = DATA, .src_count = 2, .dst = HDM_BASE, .length = 9 }), T2_BAD_COMMAND);
	list[0].length = 0;
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_COPY, .flags = T2_SRC_LIST,
				.src = DATA, .src_count = 2, .dst = HDM_BASE, .length = 2 }), T2_BAD_COMMAND);
}

static void test_bad_commands(void **state)
{
	struct bench *b = *state;

	assert_int_equal(status(b, (struct t2_command) { .op = 77 }), T2_BAD_COMMAND);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_ADD, .dst = DATA + 4, .length = 8 }),
			 T2_BAD_COMMAND);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_COMPARE_SWAP, .dst = DATA, .length = 4 }),
			 T2_BAD_COMMAND);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_FILL, .dst = HOST_SIZE - 4, .length = 8 }),
			 T2_NO_MEMORY);
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_FILL, .dst = -8ull, .length = 16 }),
			 T2_NO_MEMORY);
	assert_true(interrupted(b));
	assert_int_equal(reg(b, T2_ERROR), T2_ERROR_ADDRESS);
	set(b, T2_ERROR, ~0u);
	assert_int_equal(reg(b, T2_ERROR), 0);
}

static void test_bus_master(void **state)
{
	struct bench *b = *state;

	write_region(b, CONFIG_REGION, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	give(b, (struct t2_command) { .op = T2_OP_FILL, .dst = DATA, .length = 8, .operand = ~0ull });
	assert_int_equal(taken(b).status, NOT_DONE);
	assert_int_equal(reg(b, T2_ERROR), T2_ERROR_RING | T2_ERROR_BUS_MASTER);
	assert_int_equal(reg(b, T2_QUEUE(0) + T2_QUEUE_STATE), T2_QUEUE_BROKEN);
	assert_true(all(b->host + DATA, 0, 8));
	assert_false(interrupted(b));
}

static void test_faults(void **state)
{
	struct bench *b = *state;
	struct t2_command c = { .op = T2_OP_FILL, .flags = T2_DST_VIRTUAL, .pasid = 1, .dst = 0x7ff8,
				.length = 16, .operand = 0x1111111111111111 };
	struct t2_completion done;

	give(b, c);
	assert_int_equal(taken(b).status, NOT_DONE);
	assert_true(interrupted(b));
	assert_int_equal(reg(b, T2_QUEUE(0) + T2_QUEUE_STATE), T2_QUEUE_FAULTED);
	assert_int_equal(fault(b, 0).address, 0x7000);
	assert_int_equal(fault(b, 0).flags, T2_FAULT_WRITE);
	assert_int_equal(fault(b, 0).pasid, 1);

	/* Read only is not enough. */
	set_pte(b, 0x7000, DATA | T2_PTE_PRESENT);
	set(b, T2_QUEUE(0) + T2_QUEUE_RESUME, 1);
	run_engine(b);
	fault(b, 1);
	set_pte(b, 0x7000, DATA | T2_PTE_PRESENT | T2_PTE_WRITE);
	/* The answer to a fault that is no longer open. */
	set(b, T2_QUEUE(0) + T2_QUEUE_RESUME, 1);
	run_engine(b);
	assert_true(all(b->host + DATA + 0xff8, 0, 8));
	set(b, T2_QUEUE(0) + T2_QUEUE_RESUME, 2);
	run_engine(b);
	assert_true(all(b->host + DATA + 0xff8, 0x11, 8));
	assert_int_equal(fault(b, 2).address, 0x8000);
	set(b, T2_QUEUE(0) + T2_QUEUE_REFUSE, 3);
	run_engine(b);
	done = taken(b);
	assert_int_equal(done.status, T2_FAULT);
	assert_int_equal(done.bytes, 8);
}

static void test_invalidate(void **state)
{
	struct bench *b = *state;
	struct t2_command c = { .op = T2_OP_FILL, .flags = T2_DST_VIRTUAL, .pasid = 1, .dst = 0x7000,
				.length = 8, .operand = ~0ull };
	uint32_t before = reg(b, T2_INV_DONE);

	set_pte(b, 0x7000, DATA | T2_PTE_PRESENT | T2_PTE_WRITE);
	assert_int_equal(status(b, c), T2_OK);
	set_pte(b, 0x7000, (DATA + PAGE) | T2_PTE_PRESENT | T2_PTE_WRITE);
	memset(b->host + DATA, 0, PAGE);
	/* It was not told: the stale page is written. */
	assert_int_equal(status(b, c), T2_OK);
	assert_true(all(b->host + DATA, 0xff, 8));
	set(b, T2_INV_PASID, 1);
	set64(b, T2_INV_ADDR, 0x7000);
	set(b, T2_INV_PAGES, 1);
	assert_int_equal(reg(b, T2_INV_DONE), before + 1);
	assert_int_equal(status(b, c), T2_OK);
	assert_true(all(b->host + DATA + PAGE, 0xff, 8));
}

static void test_huge_page(void **state)
{
	struct bench *b = *state;
	struct t2_command c = { .op = T2_OP_FILL, .flags = T2_DST_VIRTUAL, .pasid = 1, .dst = 0x12345,
				.length = 8, .operand = ~0ull };

	set_pte(b, 0, 0);
	((uint64_t *)(b->host + TABLES + 2ul * PAGE))[0] = HDM_BASE | T2_PTE_PRESENT | T2_PTE_WRITE | T2_PTE_LEAF;
	assert_int_equal(status(b, c), T2_OK);
	assert_true(all(b->hdm + 0x12345, 0xff, 8));
	((uint64_t *)(b->host + TABLES + 2ul * PAGE))[0] += PAGE;
	c.dst = 0x22345;
	assert_int_equal(status(b, c), T2_BAD_TABLE);
	c.pasid = 8;
	give(b, c);
	assert_int_equal(fault(b, 0).pasid, 8);
}

static void test_hot_pages(void **state)
{
	struct bench *b = *state;
	const struct t2_hot *hot = (void *)(b->host + HOT_RING);

	set(b, T2_HOT_THRESHOLD, 3);
	for (int i = 0; i < 7; i++) {
		run(b, (struct t2_command) { .op = T2_OP_CHECKSUM, .src = DATA, .length = 64 });
		run(b, (struct t2_command) { .op = T2_OP_CHECKSUM, .src = HDM_BASE, .length = 64 });
	}
	assert_true(interrupted(b));
	assert_int_equal(hot[1].seq, 2);
	assert_int_equal(hot[1].address, DATA);
	assert_int_equal(hot[1].pasid, T2_NO_PASID);
	assert_int_equal(hot[1].count, 6);
	assert_int_equal(hot[2].seq, 0);
	assert_int_equal(reg(b, T2_LOCAL_BYTES), 7 * 64);
	assert_int_equal(reg(b, T2_REMOTE_BYTES), 7 * 64);
	set(b, T2_HOT_SIZE, 1);
	for (int i = 0; i < 9; i++)
		run(b, (struct t2_command) { .op = T2_OP_CHECKSUM, .src = DATA, .length = 64 });
	assert_int_equal(reg(b, T2_HOT_DROPPED), 2);
}

static void test_full_and_abort(void **state)
{
	struct bench *b = *state;
	struct t2_completion done;

	for (uint32_t i = 0; i < ENTRIES + 1; i++)
		give(b, (struct t2_command) { .op = T2_OP_NOP });
	assert_int_equal(reg(b, T2_QUEUE(0) + T2_QUEUE_STATE), T2_QUEUE_FULL);
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_int_equal(taken(b).status, T2_OK);
	run_engine(b);
	assert_int_equal(taken(b).status, T2_OK);

	give(b, (struct t2_command) { .op = T2_OP_CHECKSUM, .flags = T2_SRC_VIRTUAL, .pasid = 1, .length = 8 });
	give(b, (struct t2_command) { .op = T2_OP_NOP });
	set(b, T2_QUEUE(0) + T2_QUEUE_CTRL, T2_QUEUE_ENABLE | T2_QUEUE_ABORT);
	run_engine(b);
	for (int i = 0; i < 2; i++) {
		done = taken(b);
		assert_int_equal(done.status, T2_ABORTED);
	}
	assert_int_equal(status(b, (struct t2_command) { .op = T2_OP_NOP }), T2_OK);
	/* More than it has room for is not believed. */
	set(b, T2_QUEUE(0) + T2_QUEUE_GIVEN, b->given + ENTRIES + 1);
	run_engine(b);
	assert_int_equal(taken(b).status, NOT_DONE);
}

static void must(struct bench *b, const char *command, const char *expected)
{
	char *reply = control(b->t, command);

	assert_string_equal(reply, expected);
	free(reply);
}

static void test_control(void **state)
{
	struct bench *b = *state;
	struct t2_command c = { .op = T2_OP_CHECKSUM, .src = HDM_BASE + 0x1000, .length = 64 };
	char *reply;

	must(b, "poison 0x100001010 64", "ok\n");
	assert_int_equal(status(b, c), T2_POISON);
	must(b, "unpoison", "ok\n");
	assert_int_equal(status(b, c), T2_OK);
	must(b, "poison 0 64", "error: that is not in the HDM, or there is too much poison\n");
	must(b, "poison", "error: poison needs an address and a size\n");
	must(b, "nonsense", "error: no such command; try: help\n");

	must(b, "stick", "ok\n");
	give(b, c);
	assert_int_equal(taken(b).status, NOT_DONE);
	assert_int_equal(reg(b, T2_STATUS), 0);
	/* Its registers can be written to: one that hangs looks busy, not idle. */
	set(b, T2_QUEUE(1) + T2_QUEUE_SIZE, 4);
	set(b, T2_QUEUE(1) + T2_QUEUE_CTRL, T2_QUEUE_ENABLE);
	set(b, T2_QUEUE(1) + T2_QUEUE_GIVEN, 1);
	assert_int_equal(reg(b, T2_QUEUE(1) + T2_QUEUE_STATE), T2_QUEUE_RUNNING);
	set(b, T2_QUEUE(1) + T2_QUEUE_CTRL, 0);
	assert_int_equal(reg(b, T2_QUEUE(1) + T2_QUEUE_STATE), T2_QUEUE_RUNNING);
	must(b, "unstick", "ok\n");
	set(b, T2_QUEUE(1) + T2_QUEUE_CTRL, 0);
	assert_int_equal(reg(b, T2_QUEUE(1) + T2_QUEUE_STATE), T2_QUEUE_IDLE);
	run_engine(b);
	assert_int_equal(taken(b).status, T2_OK);

	reply = control(b->t, "log");
	assert_non_null(strstr(reply, " read 0 0xffffffff 0x100001000 0x100001000 64\n"));
	free(reply);
	must(b, "log", "ok\n");

	must(b, "link down", "ok\n");
	assert_int_equal(reg(b, T2_ID), ~0u);
	assert_int_equal(read_region(b, CONFIG_REGION, 0, 4), ~0u);
	must(b, "link up", "ok\n");
	assert_int_equal(reg(b, T2_ID), T2_ID_VALUE);
	assert_int_equal(reg(b, T2_CTRL), 0);
	must(b, "pull", "ok\n");
	assert_int_equal(recv(b->fd, &c, sizeof(c), MSG_DONTWAIT), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_protocol),
		cmocka_unit_test(test_hangs_up),
		test(test_maps),
		cmocka_unit_test(test_refuses_private_memory),
		test(test_config),
		test(test_errors),
		test(test_decoder),
		test(test_discovery),
		test(test_cdat),
		test(test_operations),
		test(test_lists),
		test(test_bad_commands),
		test(test_bus_master),
		test(test_faults),
		test(test_invalidate),
		test(test_huge_page),
		test(test_hot_pages),
		test(test_full_and_abort),
		test(test_control),
	};

	return cmocka_run_group_tests_name("t2accel", tests, NULL, NULL);
}
