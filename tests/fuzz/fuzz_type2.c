// SPDX-License-Identifier: GPL-2.0
/*
 * The model of a Type-2 function (tests/type2), which must survive any client and
 * any guest: messages with and without sense, and what a driver may write into
 * registers, rings and page tables. The input is a row of records, see below.
 *
 * runs: 5000
 * length: 2048
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../type2/model.h"

#define HOST_SIZE	(64ul * PAGE)
#define HDM_BASE	0x100000000ull
#define HDM_SIZE	(256ull << 20)
#define MAX_STEPS	300

enum { GREETING = 1, DMA_MAP = 2, GET_INFO = 4 };

struct header { uint16_t id, command; uint32_t size, flags, error; };

struct input { const uint8_t *at; size_t left; };

static struct t2 *t;
static int client, files[3];
static uint8_t *host;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the model has to say of broken clients would be all that one sees. */
void say(const char *fmt, ...)
{
	(void)fmt;
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* The next bytes of the input; zeroes where it has ended. */
static void take(struct input *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(to, 0, size);
	memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

static uint32_t number(struct input *in, size_t bytes)
{
	uint32_t n = 0;

	take(in, &n, bytes);
	return n;
}

static void *map_memory(int *fd, uint64_t size)
{
	void *at;

	*fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(*fd >= 0 && !ftruncate(*fd, size));
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	must(at != MAP_FAILED);
	return at;
}

static void send_bytes(const void *data, size_t size, unsigned int nfds)
{
	union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(files))]; } ancillary = { 0 };
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		msg.msg_control = &ancillary;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		ancillary.align.cmsg_level = SOL_SOCKET;
		ancillary.align.cmsg_type = SCM_RIGHTS;
		ancillary.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&ancillary.align), files, nfds * sizeof(int));
	}
	sendmsg(client, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Reads all replies, so that the server never waits for room. */
static void check_replies(void)
{
	static uint8_t reply[MAX_MESSAGE];
	struct header header;

	while (recv(client, &header, sizeof(header), MSG_DONTWAIT) == sizeof(header)) {
		must((header.flags & 0xf) == 1 && header.size >= sizeof(header) && header.size <= MAX_MESSAGE);
		must(!(header.flags & 0x20) == !header.error);
		must(!header.error || header.size == sizeof(header));
		if (header.size > sizeof(header))
			must(recv(client, reply, header.size - sizeof(header), MSG_WAITALL) ==
			     (ssize_t)(header.size - sizeof(header)));
	}
}

/* Has the server work off all that was sent. False: it has hung up. */
static bool serve(void)
{
	struct pollfd fd = { .fd = t->protocol.fd, .events = POLLIN };

	while (poll(&fd, 1, 0) > 0) {
		if (!protocol_receive(t))
			return false;
		check_replies();
	}
	return true;
}

static void send_message(uint16_t command, uint32_t flags, const void *data, uint32_t size,
			 unsigned int nfds)
{
	struct header header = { .command = command, .size = sizeof(header) + size, .flags = flags };
	uint8_t message[sizeof(header) + 256];

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), data, size);
	send_bytes(message, header.size, nfds);
}

static void step(void)
{
	for (int i = 0; i < MAX_STEPS && engine_step(t); i++)
		;
	for (unsigned int i = 0; i < T2_QUEUES; i++) {
		const struct queue *q = &t->engine.queues[i];

		must(q->done - q->taken <= q->size && q->given - q->fetched <= q->size);
		must(q->fetched - q->done == q->busy);
		must(q->bytes <= q->command.length);
	}
}

/* A record: what it is, and what goes with it. */
static bool next_record(struct input *in)
{
	uint8_t bytes[256];
	uint32_t at, size, command;
	char line[128];

	switch (number(in, 1) % 6) {
	case 0:				/* a message with a good header */
		command = number(in, 1);
		at = number(in, 1);
		size = number(in, 1);
		take(in, bytes, size);
		send_message(command, at & 0x10, bytes, size, at % 4);
		return serve();
	case 1:				/* anything */
		size = number(in, 1);
		take(in, bytes, size);
		send_bytes(bytes, size, size % 4);
		return serve();
	case 2:				/* what a driver does in memory */
		at = 8ul * number(in, 2) % HOST_SIZE;
		size = number(in, 1);
		take(in, bytes, size);
		memcpy(host + at, bytes, at + size > HOST_SIZE ? HOST_SIZE - at : size);
		break;
	case 3:				/* and in registers */
		at = 4ul * number(in, 1);
		registers_write(t, at, number(in, 4));
		break;
	case 4:
		at = number(in, 2) % CONFIG_SIZE;
		take(in, bytes, 4);
		config_write(t, at & ~3u, bytes, 4);
		break;
	default:			/* what a test asks */
		take(in, line, sizeof(line) - 1);
		line[sizeof(line) - 1] = '\0';
		free(control(t, line));
		if (t->protocol.fd < 0)
			return false;
		break;
	}
	step();
	return true;
}

static void map_region(uint64_t start, uint64_t size, int *fd)
{
	struct { uint32_t argsz, flags; uint64_t offset, start, size; } map = { 32, 3, 0, start, size };
	int first = files[0];

	files[0] = *fd;
	send_message(DMA_MAP, 0, &map, sizeof(map), 1);
	files[0] = first;
	must(serve());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t info[4] = { 0 };
	int fds[2];

	if (!t) {
		t = t2_new(HDM_BASE, HDM_SIZE, 1, true);
		host = map_memory(&files[0], HOST_SIZE);
		map_memory(&files[1], HDM_SIZE);
		files[2] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	client = fds[0];
	protocol_open(t, fds[1]);
	t->link_down = false;
	memory_unpoison(t);
	t2_reset(t);
	memset(host, 0, HOST_SIZE);
	send_message(GREETING, 0, info, 4, 0);
	map_region(0, HOST_SIZE, &files[0]);
	map_region(HDM_BASE, HDM_SIZE, &files[1]);
	send_message(GET_INFO, 0, info, sizeof(info), 0);
	must(serve() && memory_has_hdm(t));
	/* Bus Master Enable, and the engine: what any driver starts with. */
	t->config.data[4] = 6;
	registers_write(t, T2_CTRL, T2_CTRL_ENABLE);

	while (in.left && next_record(&in))
		;
	protocol_close(t);
	memory_unmap_all(t);
	close(client);
	return 0;
}
