// SPDX-License-Identifier: GPL-2.0
/*
 * t2accel: a CXL Type-2 function with an accelerator engine, for QEMU's
 * vfio-user-pci. See README.md.
 */
#include <errno.h>
#include <poll.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model.h"

/* What HDM decoders work in. */
#define GRANULE		(256ull << 20)
/* Steps of the engine between two looks for messages: a fraction of a millisecond. */
#define STEPS		64
#define LINE_MAX_LENGTH	256

/* A test at the control socket, what it has typed of a line, and what it is still to read. */
struct tester {
	int listener, fd;
	char line[LINE_MAX_LENGTH];
	size_t have;
	char *reply;
	size_t sent;
};

static void usage(FILE *out)
{
	fprintf(out,
		"usage: t2accel -s SOCKET -m BASE,MIB [-c SOCKET] [-n SERIAL] [-o]\n"
		"  -s SOCKET    where the virtual machine connects to (vfio-user)\n"
		"  -m BASE,MIB  host physical address and size of the memory that is the device's own\n"
		"  -c SOCKET    where tests control the model\n"
		"  -n SERIAL    device serial number (default: 1)\n"
		"  -o           leave the HDM decoder open, as if no firmware had been there\n");
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		say("the path is too long for a socket: %s", path);
		exit(1);
	}
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1)) {
		say("cannot listen at %s: %s", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static void drop_tester(struct tester *tester)
{
	close(tester->fd);
	free(tester->reply);
	*tester = (struct tester) { .listener = tester->listener, .fd = -1 };
}

/*
 * Sends on what there is room for. Waiting for room would not do: the test may run
 * in the virtual machine, which waits for us to answer its own accesses.
 */
static void send_reply(struct tester *tester)
{
	size_t left = strlen(tester->reply + tester->sent);
	ssize_t n = send(tester->fd, tester->reply + tester->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop_tester(tester);
		return;
	}
	tester->sent += n;
	if ((size_t)n == left) {
		free(tester->reply);
		tester->reply = NULL;
	}
}

/* Does what the next complete line says, once the last answer is out. */
static void next_line(struct t2 *t, struct tester *tester)
{
	char *end = memchr(tester->line, '\n', tester->have);

	if (!end || tester->reply)
		return;
	*end = '\0';
	tester->reply = control(t, tester->line);
	tester->sent = 0;
	tester->have -= end + 1 - tester->line;
	memmove(tester->line, end + 1, tester->have);
	if (!tester->reply)
		drop_tester(tester);
}

static void hear_tester(struct t2 *t, struct tester *tester)
{
	if (tester->reply) {
		send_reply(tester);
	} else {
		ssize_t n = recv(tester->fd, tester->line + tester->have,
				 sizeof(tester->line) - tester->have, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* It has gone, or types more than any command has. */
		if (n <= 0) {
			drop_tester(tester);
			return;
		}
		tester->have += n;
	}
	next_line(t, tester);
}

static void run(struct t2 *t, struct tester *tester)
{
	bool progress = false;

	/* One that was pulled out can still be asked what it has done. */
	while (!t->quit && (t->protocol.fd >= 0 || tester->fd >= 0)) {
		struct pollfd fds[] = {
			{ .fd = t->protocol.fd, .events = POLLIN },
			{ .fd = tester->fd >= 0 ? tester->fd : tester->listener,
			  .events = tester->reply ? POLLOUT : POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), progress ? 0 : -1) < 0 && errno != EINTR) {
			say("poll: %s", strerror(errno));
			return;
		}
		if (fds[0].revents && !protocol_receive(t))
			return;
		if (fds[1].revents && tester->fd >= 0)
			hear_tester(t, tester);
		else if (fds[1].revents)
			tester->fd = accept4(tester->listener, NULL, NULL, SOCK_CLOEXEC);
		progress = true;
		for (int i = 0; i < STEPS && progress; i++)
			progress = engine_step(t);
	}
}

int main(int argc, char **argv)
{
	struct tester tester = { .listener = -1, .fd = -1 };
	const char *socket = NULL, *control_socket = NULL;
	unsigned long long base = 0, mib = 0, serial = 1;
	bool committed = true;
	int option, listener, fd, status;
	struct t2 *t;

	while ((option = getopt(argc, argv, "s:m:c:n:oh")) != -1) {
		switch (option) {
		case 's': socket = optarg; break;
		case 'c': control_socket = optarg; break;
		case 'n': serial = strtoull(optarg, NULL, 0); break;
		case 'o': committed = false; break;
		case 'h': usage(stdout); return 0;
		case 'm':
			if (sscanf(optarg, "%lli,%llu", (long long *)&base, &mib) == 2)
				break;
			/* fall through */
		default: usage(stderr); return 2;
		}
	}
	if (!socket || !mib || optind != argc) {
		usage(stderr);
		return 2;
	}
	if (base % GRANULE || (mib << 20) % GRANULE || mib > 1ull << 32) {
		say("the memory's address and size must be multiples of 256 MiB");
		return 2;
	}
	t = t2_new(base, mib << 20, serial, committed);
	if (!t) {
		say("out of memory");
		return 1;
	}
	if (control_socket)
		tester.listener = listen_at(control_socket);
	/* Last: whoever waits for this socket finds the other one too. */
	listener = listen_at(socket);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		say("cannot accept the virtual machine's connection: %s", strerror(errno));
		return 1;
	}
	close(listener);
	protocol_open(t, fd);
	run(t, &tester);
	status = t->exit_status;
	t2_free(t);
	return status;
}
