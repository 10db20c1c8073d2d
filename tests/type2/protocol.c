// SPDX-License-Identifier: GPL-2.0
/*
 * The server's side of vfio-user (QEMU's docs/interop/vfio-user.rst), as much of
 * it as QEMU uses. Nothing that comes in is trusted: sizes are checked before
 * anything is read, a message that breaks the protocol ends the connection, one
 * that asks for what there is not gets an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "model.h"

enum command {
	GREETING = 1,
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	DEVICE_GET_INFO = 4,
	GET_REGION_INFO = 5,
	GET_IRQ_INFO = 7,
	SET_IRQS = 8,
	REGION_READ = 9,
	REGION_WRITE = 10,
	DEVICE_RESET = 13,
};

#define TYPE_MASK	0x0fu		/* of flags; 0 is a request */
#define REPLY		0x01u
#define NO_REPLY	0x10u
#define ERROR		0x20u

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

/* VFIO's numbers of a PCI function's regions and interrupts. */
#define REGIONS		9
#define REGION_CONFIG	7
#define IRQS		5
#define IRQ_MSIX	2

#define DATA_NONE	(1u << 0)
#define DATA_EVENTFD	(1u << 2)
#define ACTION_TRIGGER	(1u << 5)

static uint64_t region_size(uint32_t region)
{
	switch (region) {
	case T2_BAR_COMPONENT:
	case T2_BAR_REGS:
		return T2_BAR_SIZE;
	case REGION_CONFIG:
		return CONFIG_SIZE;
	default:
		return 0;
	}
}

/* A BAR in words; both sides of it are little endian. */
static void bar_read(struct t2 *t, uint32_t bar, uint32_t offset, uint8_t *data, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = offset + i, word;

		if (i && at % 4)
			continue;
		word = bar == T2_BAR_REGS ? registers_read(t, at & ~3u) :
					    component_read(t, at & ~3u);
		for (uint32_t n = at % 4; n < 4 && i + n - at % 4 < count; n++)
			data[i + n - at % 4] = word >> 8 * n;
	}
}

static void bar_write(struct t2 *t, uint32_t bar, uint32_t offset, const uint8_t *data, uint32_t count)
{
	/* Registers take words only. */
	if (offset % 4 || (count != 4 && count != 8))
		return;
	for (uint32_t i = 0; i < count; i += 4) {
		uint32_t word = config_get(data + i, 4);

		if (bar == T2_BAR_REGS)
			registers_write(t, offset + i, word);
		else
			component_write(t, offset + i, word);
	}
}

/*
 * Handlers get what follows the header, and write what is to follow that of the
 * reply. They return its length, or an error number, negative.
 */
static int version(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8,"
				   "\"max_data_xfer_size\":65536,\"pgsizes\":4096}}";
	uint16_t major;

	if (size < 4 || t->protocol.greeted)
		return -EINVAL;
	memcpy(&major, in, sizeof(major));
	if (major != 0)
		return -ENOTSUP;
	t->protocol.greeted = true;
	memset(out, 0, 4);
	/* QEMU has no room for a reply that is longer than its request. */
	if (size < 4 + sizeof(json))
		return 4;
	memcpy(out + 4, json, sizeof(json));
	return 4 + sizeof(json);
}

static int dma_map(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags; uint64_t offset, start, size; } map;

	(void)out;
	if (size != sizeof(map) || t->protocol.nfds > 1)
		return -EINVAL;
	memcpy(&map, in, sizeof(map));
	return memory_map(t, map.start, map.size, map.flags,
			  t->protocol.nfds ? t->protocol.fds[0] : -1, map.offset);
}

static int dma_unmap(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags; uint64_t start, size; } map;
	int rc;

	if (size < sizeof(map))
		return -EINVAL;
	memcpy(&map, in, sizeof(map));
	/* Dirty bitmaps and the like were not offered. */
	if (map.flags)
		return -EINVAL;
	rc = memory_unmap(t, map.start, map.size);
	if (rc)
		return rc;
	memcpy(out, &map, sizeof(map));
	return sizeof(map);
}

static int device_get_info(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags, regions, irqs; } info = {
		.argsz = sizeof(info),
		.flags = 1 << 0 /* can be reset */ | 1 << 1 /* PCI */,
		.regions = REGIONS,
		.irqs = IRQS,
	};

	(void)in;
	if (size < sizeof(info))
		return -EINVAL;
	/* By now the client has mapped all that it has. */
	if (!memory_has_hdm(t)) {
		say("the client has no shared memory for the HDM at %#llx, %llu MiB; give it a memory-backend-memfd there, with share=on",
		    (unsigned long long)t->hdm_base, (unsigned long long)t->hdm_size >> 20);
		t->quit = true;
		t->exit_status = 1;
		return -EINVAL;
	}
	memcpy(out, &info, sizeof(info));
	return sizeof(info);
}

static int get_region_info(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags, index, cap_offset; uint64_t size, offset; } info;

	(void)t;
	if (size < sizeof(info))
		return -EINVAL;
	memcpy(&info, in, sizeof(info));
	if (info.index >= REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.size = region_size(info.index);
	info.flags = info.size ? 1 << 0 /* read */ | 1 << 1 /* write */ : 0;
	info.cap_offset = 0;
	info.offset = 0;
	memcpy(out, &info, sizeof(info));
	return sizeof(info);
}

static int get_irq_info(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags, index, count; } info;

	(void)t;
	if (size < sizeof(info))
		return -EINVAL;
	memcpy(&info, in, sizeof(info));
	if (info.index >= IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = info.index == IRQ_MSIX ? T2_VECTORS : 0;
	info.flags = info.count ? 1 << 0 /* eventfd */ | 1 << 3 /* cannot be resized */ : 0;
	memcpy(out, &info, sizeof(info));
	return sizeof(info);
}

static void set_irq(struct protocol *p, unsigned int vector, int fd)
{
	if (p->irqs[vector] >= 0)
		close(p->irqs[vector]);
	p->irqs[vector] = fd;
}

static int set_irqs(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct { uint32_t argsz, flags, index, start, count; } set;
	struct protocol *p = &t->protocol;

	(void)out;
	if (size < sizeof(set))
		return -EINVAL;
	memcpy(&set, in, sizeof(set));
	if (set.index >= IRQS)
		return -EINVAL;
	/* Masking is QEMU's business, and there are no others. */
	if (set.index != IRQ_MSIX || !(set.flags & ACTION_TRIGGER))
		return 0;
	if (set.start > T2_VECTORS || set.count > T2_VECTORS - set.start)
		return -EINVAL;

	if (set.flags & DATA_NONE) {
		/* Without any: all off. */
		for (unsigned int i = 0; set.count == 0 && i < T2_VECTORS; i++)
			set_irq(p, i, -1);
		return 0;
	}
	if (!(set.flags & DATA_EVENTFD) || (p->nfds && p->nfds != set.count))
		return -EINVAL;
	for (unsigned int i = 0; i < set.count; i++) {
		int fd = -1;

		if (p->nfds) {
			fd = p->fds[i];
			p->fds[i] = -1;
			/* A pipe that nobody reads must not stop us. */
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		}
		set_irq(p, set.start + i, fd);
	}
	return 0;
}

struct region_access {
	uint64_t offset;
	uint32_t region, count;
};

/* Fails unless the access is inside of a region. */
static int parse_access(const uint8_t *in, size_t size, struct region_access *access)
{
	if (size < sizeof(*access))
		return -EINVAL;
	memcpy(access, in, sizeof(*access));
	if (access->count > MAX_DATA ||
	    !within(access->offset, access->count, 0, region_size(access->region)))
		return -EINVAL;
	return 0;
}

static int region_read(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct region_access access;
	uint8_t *data = out + sizeof(access);
	int rc = parse_access(in, size, &access);

	if (rc)
		return rc;
	memcpy(out, &access, sizeof(access));
	if (t->link_down)
		memset(data, 0xff, access.count);
	else if (access.region == REGION_CONFIG)
		config_read(t, access.offset, data, access.count);
	else
		bar_read(t, access.region, access.offset, data, access.count);
	return sizeof(access) + access.count;
}

static int region_write(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	struct region_access access;
	const uint8_t *data = in + sizeof(access);
	int rc = parse_access(in, size, &access);

	if (rc)
		return rc;
	if (size - sizeof(access) < access.count)
		return -EINVAL;
	memcpy(out, &access, sizeof(access));
	if (t->link_down)
		;
	else if (access.region == REGION_CONFIG)
		config_write(t, access.offset, data, access.count);
	else
		bar_write(t, access.region, access.offset, data, access.count);
	return sizeof(access);
}

static int device_reset(struct t2 *t, const uint8_t *in, size_t size, uint8_t *out)
{
	(void)in, (void)size, (void)out;
	t2_reset(t);
	return 0;
}

static int handle(struct t2 *t, uint16_t command, const uint8_t *in, size_t size, uint8_t *out)
{
	switch (command) {
	case GREETING: return version(t, in, size, out);
	case DMA_MAP: return dma_map(t, in, size, out);
	case DMA_UNMAP: return dma_unmap(t, in, size, out);
	case DEVICE_GET_INFO: return device_get_info(t, in, size, out);
	case GET_REGION_INFO: return get_region_info(t, in, size, out);
	case GET_IRQ_INFO: return get_irq_info(t, in, size, out);
	case SET_IRQS: return set_irqs(t, in, size, out);
	case REGION_READ: return region_read(t, in, size, out);
	case REGION_WRITE: return region_write(t, in, size, out);
	case DEVICE_RESET: return device_reset(t, in, size, out);
	default: return -ENOTSUP;
	}
}

static bool send_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= n;
	}
	return true;
}

/* The message in p->in is complete. */
static bool answer(struct t2 *t)
{
	struct protocol *p = &t->protocol;
	struct header header;
	int rc;

	memcpy(&header, p->in, sizeof(header));
	/* Nothing comes before the greeting; and we ask nothing, so there are no replies. */
	if ((header.flags & TYPE_MASK) || (header.command != GREETING && !p->greeted)) {
		say("the client broke the protocol with command %u, flags %#x", header.command,
		    header.flags);
		return false;
	}
	rc = handle(t, header.command, p->in + sizeof(header), header.size - sizeof(header),
		    p->out + sizeof(header));
	if (header.flags & NO_REPLY)
		return true;
	header.size = sizeof(header) + (rc > 0 ? rc : 0);
	header.flags = REPLY | (rc < 0 ? ERROR : 0);
	header.error = rc < 0 ? -rc : 0;
	memcpy(p->out, &header, sizeof(header));
	return send_all(p->fd, p->out, header.size);
}

static void drop_fds(struct protocol *p)
{
	for (unsigned int i = 0; i < p->nfds; i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	p->nfds = 0;
}

/* Reads up to `size` bytes of the current message, and what fds come with them. */
static ssize_t receive(struct protocol *p, size_t size)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} ancillary;
	struct iovec iov = { p->in + p->have, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary),
	};
	ssize_t n = recvmsg(p->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (p->nfds < MAX_FDS)
				p->fds[p->nfds++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

bool protocol_receive(struct t2 *t)
{
	struct protocol *p = &t->protocol;
	struct header header;
	size_t wanted = sizeof(header);
	ssize_t n;

	if (p->have >= sizeof(header)) {
		memcpy(&header, p->in, sizeof(header));
		wanted = header.size;
	}
	/* Never beyond this message, so that fds are not taken for another's. */
	n = receive(p, wanted - p->have);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	p->have += n;
	if (p->have < sizeof(header))
		return true;

	memcpy(&header, p->in, sizeof(header));
	if (header.size < sizeof(header) || header.size > MAX_MESSAGE) {
		say("the client sent a message of %u bytes", header.size);
		return false;
	}
	if (p->have == header.size) {
		bool good = answer(t);

		drop_fds(p);
		p->have = 0;
		return good;
	}
	return true;
}

void protocol_open(struct t2 *t, int fd)
{
	/* A client that does not read its replies is given up. */
	struct timeval patience = { .tv_sec = 5 };
	struct protocol *p = &t->protocol;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	p->fd = fd;
	p->greeted = false;
	p->have = p->nfds = 0;
	for (unsigned int i = 0; i < T2_VECTORS; i++)
		p->irqs[i] = -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	p->peer = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? 0 : peer.pid;
}

void protocol_close(struct t2 *t)
{
	struct protocol *p = &t->protocol;

	if (p->fd < 0)
		return;
	drop_fds(p);
	for (unsigned int i = 0; i < T2_VECTORS; i++)
		set_irq(p, i, -1);
	close(p->fd);
	p->fd = -1;
}

void interrupt(struct t2 *t, unsigned int vector)
{
	uint64_t one = 1;

	/* An MSI is a write to memory: without Bus Master Enable there is none. */
	if (t->link_down || t->protocol.irqs[vector] < 0 || !config_bus_master(t) ||
	    !config_msix_enabled(t))
		return;
	/* An eventfd whose count is at its limit has told it already. */
	if (write(t->protocol.irqs[vector], &one, sizeof(one)) < 0 && errno != EAGAIN)
		say("interrupt %u cannot be raised: %s", vector, strerror(errno));
}
