// SPDX-License-Identifier: GPL-2.0
/*
 * Claims contiguous pieces of the device of /dev/cxlmem0, in mode "cma", and sees to
 * it that they are what they are said to be.
 *
 *	claim hold [-t|-w] [-a ALIGN] [-m] MIB
 *			claims so much, checks that it is contiguous, at the right
 *			place and zero, writes to it, and prints "ready"; on SIGUSR1 it
 *			checks the memory and prints "intact" or "CORRUPT", on SIGUSR2
 *			it touches the memory and prints "alive" or "SIGBUS"
 *		-t only what is free, -w waits, -m keeps the mapping only
 *	claim try [-t|-w] [-a ALIGN] MIB
 *			the same, prints what came of it, and lets go
 *	claim quota MIB...
 *			the same for several at once, without looking at the memory
 *	claim random CLAIMS [SEED]
 *			so many claims of random sizes, in any order, some at a time
 *	claim fuzz SECONDS [SEED]
 *			requests with arguments at random; longer if none of them
 *			has worked until then
 *	claim CASE	one of the cases below; fails with a message
 */
#define _GNU_SOURCE
#include <drm/drm.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/kernel-page-flags.h>
#include <linux/videodev2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../driver/include/uapi/linux/cxlmem.h"

#define PAGE 4096ul
#define HUGE (2ul << 20)
#ifndef KPF_OFFLINE
#define KPF_OFFLINE 23
#endif
#define SYS "/sys/class/cxlmem/cxlmem0/"

static int device = -1;

#define fail(...) errx(1, __VA_ARGS__)
#define check(condition, ...) do { if (!(condition)) fail(__VA_ARGS__); } while (0)

static uint64_t attribute(const char *name)
{
	char path[128], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), SYS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "%s", path);
	close(fd);
	return strtoull(text, NULL, 0);
}

static uint64_t state;

static uint64_t random_number(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

struct claim {
	struct cxlmem_buffer buffer;
	char *memory;
	uint32_t tag;
};

static int request(struct claim *claim, size_t size, uint64_t align, uint32_t flags)
{
	claim->buffer = (struct cxlmem_buffer) {
		.size = sizeof(claim->buffer),
		.flags = flags,
		.length = size,
		.align = align,
	};
	return ioctl(device, CXLMEM_IOC_CLAIM, &claim->buffer) ? errno : 0;
}

static void map_claim(struct claim *claim)
{
	claim->memory = mmap(NULL, claim->buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED,
			     claim->buffer.fd, 0);
	if (claim->memory == MAP_FAILED)
		err(1, "mmap");
}

/* A word or two of each page will do: what goes wrong goes wrong for pages. */
static void check_zero(const struct claim *claim)
{
	size_t i;

	for (i = 0; i < claim->buffer.length; i += 2048)
		check(!*(uint64_t *)(claim->memory + i), "not zero at %#zx", i);
}

static void fill(struct claim *claim, uint32_t tag)
{
	size_t i;

	claim->tag = tag;
	for (i = 0; i < claim->buffer.length; i += 2048)
		*(uint64_t *)(claim->memory + i) = (i << 32) + tag;
}

static bool is_intact(const struct claim *claim)
{
	size_t i;

	for (i = 0; i < claim->buffer.length; i += 2048)
		if (*(uint64_t *)(claim->memory + i) != (i << 32) + claim->tag)
			return false;
	return true;
}

/*
 * Its pages are out of the OS's reach, by what the kernel tells root about them. It does
 * not tell where a mapping of a device leads, but what is written to a page is found
 * in no other, and devices find it where they are told to look (see vivid).
 */
static void check_place(const struct claim *claim, uint64_t align)
{
	uint64_t first = (attribute("start") + claim->buffer.offset) / PAGE, i;
	size_t pages = claim->buffer.length / PAGE;
	uint64_t *flags = calloc(pages, 8);
	int fd = open("/proc/kpageflags", O_RDONLY);

	check(!(first * PAGE % HUGE) && (!align || !(first * PAGE % align)), "not aligned");
	check(claim->buffer.offset + claim->buffer.length <= attribute("size"), "not on the device");
	if (!flags || fd < 0 || pread(fd, flags, pages * 8, first * 8) != (ssize_t)pages * 8)
		err(1, "kpageflags");
	for (i = 0; i < pages; i++)
		check(flags[i] >> KPF_OFFLINE & 1, "page %llu is the OS's: %#llx",
		      (unsigned long long)i, (unsigned long long)flags[i]);
	free(flags);
	close(fd);
}

static void claim_must(struct claim *claim, size_t size)
{
	int error = request(claim, size, 0, 0);

	check(!error, "claim of %zu MiB: %s", size >> 20, strerror(error));
	map_claim(claim);
}

static void let_go(struct claim *claim)
{
	munmap(claim->memory, claim->buffer.length);
	close(claim->buffer.fd);
	claim->memory = NULL;
}

/* --- the program that holds a claim */

static volatile sig_atomic_t asked, asked_alive;
static void ask(int signal) { *(signal == SIGUSR1 ? &asked : &asked_alive) = 1; }

static sigjmp_buf bus;
static void bus_error(int signal) { siglongjmp(bus, signal); }

static void report(const struct claim *claim, int error, double began)
{
	printf("error=%s length=%llu offset=%#llx moved=%llu obstacle=%#llx ms=%.0f\n",
	       error ? strerrorname_np(error) : "0", claim->buffer.length >> 20,
	       claim->buffer.offset, claim->buffer.moved >> 20, claim->buffer.obstacle,
	       (seconds() - began) * 1000);
	fflush(stdout);
}

static int hold(int argc, char **argv, bool stay)
{
	struct sigaction action = { .sa_handler = ask }, bus_action = { .sa_handler = bus_error };
	bool mapping_only = false;
	struct claim claim;
	uint64_t align = 0;
	uint32_t flags = 0;
	sigset_t set, old;
	double began;
	int option, error;

	while ((option = getopt(argc, argv, "twma:")) != -1) {
		switch (option) {
		case 't': flags |= CXLMEM_CLAIM_TRY; break;
		case 'w': flags |= CXLMEM_CLAIM_WAIT; break;
		case 'm': mapping_only = true; break;
		case 'a': align = strtoull(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (optind >= argc)
		errx(2, "how much?");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGBUS, &bus_action, NULL);

	began = seconds();
	error = request(&claim, strtoul(argv[optind], NULL, 0) << 20, align, flags);
	report(&claim, error, began);
	if (error)
		return 1;
	map_claim(&claim);
	check_zero(&claim);
	check_place(&claim, align);
	fill(&claim, getpid());
	if (!stay)
		return 0;
	if (mapping_only)
		close(claim.buffer.fd);
	printf("%d ready\n", getpid());
	fflush(stdout);
	for (;;) {
		if (asked) {
			asked = 0;
			printf("%s\n", is_intact(&claim) ? "intact" : "CORRUPT");
			fflush(stdout);
		} else if (asked_alive) {
			asked_alive = 0;
			if (!sigsetjmp(bus, 1)) {
				*(volatile char *)claim.memory;
				printf("alive\n");
			} else {
				printf("SIGBUS\n");
			}
			fflush(stdout);
		} else {
			sigsuspend(&old);
		}
	}
}

static int quota(int argc, char **argv)
{
	struct claim claim;
	int i, error = 0;

	for (i = 1; i < argc && !error; i++) {
		double began = seconds();

		error = request(&claim, strtoul(argv[i], NULL, 0) << 20, 0, 0);
		report(&claim, error, began);
	}
	return !!error;
}

/* --- at random */

#define CLAIMS 8

static int random_claims(int argc, char **argv)
{
	unsigned int wanted = argc > 1 ? atoi(argv[1]) : 200, i, done = 0, refused = 0;
	uint64_t most = attribute("usable_size") / 8, moved = 0;
	struct claim claims[CLAIMS] = {};

	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 2654435761u;
	for (i = 0; done < wanted; i++) {
		struct claim *claim = &claims[random_number(CLAIMS)];
		uint64_t size = random_number(most) + 1;
		int error;

		if (claim->memory) {
			check(is_intact(claim), "the contents of a claim have changed");
			let_go(claim);
			continue;
		}
		/* Small ones are more frequent, as they are in life. */
		size >>= random_number(6);
		error = request(claim, size ?: 1, 0, 0);
		if (error == ENOSPC) {
			check(++refused <= wanted, "no room all the time");
			continue;
		}
		check(!error, "round %u, claim of %llu KiB: %s, obstacle %#llx", i,
		      (unsigned long long)size >> 10, strerror(error), claim->buffer.obstacle);
		map_claim(claim);
		check_zero(claim);
		fill(claim, i);
		moved += claim->buffer.moved;
		done++;
	}
	for (i = 0; i < CLAIMS; i++)
		if (claims[i].memory) {
			check(is_intact(&claims[i]), "the contents of a claim have changed");
			let_go(&claims[i]);
		}
	printf("%u claims, %u refused, %llu MiB moved away for them\n", done, refused,
	       (unsigned long long)moved >> 20);
	return 0;
}

static void nothing(int signal) { (void)signal; }

static int fuzz(int argc, char **argv)
{
	static const uint64_t interesting[] = {
		0, 1, 4095, 4096, HUGE - 1, HUGE, HUGE + 1, 1ull << 31, 1ull << 32, 1ull << 62,
		1ull << 63, ~0ull, ~0ull - HUGE, ~0ull - HUGE + 1, 64 << 20,
	};
	double wanted = argc > 1 ? atoi(argv[1]) : 10, began = seconds();
	struct itimerspec spec = { .it_interval.tv_nsec = 50000000, .it_value.tv_nsec = 50000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct sigaction action = { .sa_handler = nothing };
	unsigned long long requests = 0, worked = 0;
	timer_t timer;
	int fds[4] = { -1, -1, -1, -1 };
	sigset_t alarms;

	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &spec, NULL))
		err(1, "timer");
	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 2654435761u + getpid();
	while (seconds() < began + wanted || (!worked && seconds() < began + 8 * wanted)) {
		struct cxlmem_buffer b = { .size = sizeof(b) };
		unsigned int slot = random_number(4);
		char *memory;

		/* Most are small: a large one takes seconds on a kernel that is slow. */
		b.length = random_number(4) ? random_number(32 << 20) >> random_number(8) :
			   interesting[random_number(sizeof(interesting) / 8)];
		if (!random_number(4))
			b.align = random_number(2) ? 1ull << random_number(64) :
				  interesting[random_number(sizeof(interesting) / 8)];
		if (!random_number(3))
			b.flags = random_number(4);
		if (!random_number(16))
			((uint32_t *)&b)[random_number(sizeof(b) / 4)] ^= 1u << random_number(32);
		if (!random_number(16))
			b.size = interesting[random_number(sizeof(interesting) / 8)];
		requests++;
		if (fds[slot] >= 0)
			close(fds[slot]);
		fds[slot] = -1;
		/*
		 * Where the kernel is slow, no claim is done before the next signal; but
		 * one that waits for room may have nothing else to end it.
		 */
		sigprocmask(random_number(2) && !(b.flags & CXLMEM_CLAIM_WAIT) ? SIG_BLOCK :
			    SIG_UNBLOCK, &alarms, NULL);
		if (ioctl(device, _IOC(_IOC_READ | _IOC_WRITE, CXLMEM_IOC_MAGIC, 6, random_number(200)),
			  random_number(32) ? (void *)&b : (void *)random_number(1ull << 48)))
			continue;
		check(b.fd >= 0, "success without a file");
		worked++;
		fds[slot] = b.fd;
		memory = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0);
		check(memory != MAP_FAILED, "mmap");
		check(!*(uint64_t *)memory, "not zero");
		memset(memory, 0x55, PAGE);
		if (random_number(2))
			munmap(memory, HUGE / 2);
		munmap(memory, HUGE);
	}
	printf("%llu requests, %llu worked\n", requests, worked);
	return !worked;
}

/* --- cases */

static void case_basic(void)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	struct claim claim;
	struct stat s;
	pid_t pid;
	int status;

	claim_must(&claim, 5 << 20);
	check(claim.buffer.length == 6 << 20, "a claim is not of whole pieces of 2 MiB");
	check(lseek(claim.buffer.fd, 0, SEEK_END) == 6 << 20, "the dma-buf has another size");
	check(!fstat(claim.buffer.fd, &s), "fstat");
	check(fcntl(claim.buffer.fd, F_GETFD) & FD_CLOEXEC, "it survives exec");
	check(attribute("cma/claimed") == 6 << 20, "it is not counted");
	check_zero(&claim);
	check_place(&claim, 0);
	fill(&claim, 1);
	check(!ioctl(claim.buffer.fd, DMA_BUF_IOCTL_SYNC, &sync), "begin access");
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	check(!ioctl(claim.buffer.fd, DMA_BUF_IOCTL_SYNC, &sync), "end access");

	/* Another process sees the same, and what it writes. */
	pid = fork();
	if (!pid) {
		if (!is_intact(&claim))
			_exit(1);
		fill(&claim, 2);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && !status, "another process sees other contents");
	claim.tag = 2;
	check(is_intact(&claim), "what another process wrote is not seen");

	check(mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, claim.buffer.fd, 0) == MAP_FAILED,
	      "a private mapping");
	check(mmap(NULL, 8 << 20, PROT_READ, MAP_SHARED, claim.buffer.fd, 0) == MAP_FAILED,
	      "a mapping larger than the claim");
	check(mmap(NULL, HUGE, PROT_READ, MAP_SHARED, claim.buffer.fd, 6 << 20) == MAP_FAILED,
	      "a mapping behind the claim");
	check(mremap(claim.memory, 6 << 20, 8 << 20, MREMAP_MAYMOVE) == MAP_FAILED,
	      "a mapping grows");
	let_go(&claim);
	check(!attribute("cma/claimed"), "it is not free after the last reference");

	/* What was in it is not there for the next one. */
	claim_must(&claim, attribute("cma/largest"));
	check_zero(&claim);
	let_go(&claim);
}

static void case_align(void)
{
	struct claim claims[8];
	uint64_t align;
	size_t i;

	for (i = 0, align = HUGE; i < 6; i++, align *= 2) {
		int error = request(&claims[i], HUGE, align, 0);

		check(!error, "aligned to %#llx: %s", (unsigned long long)align, strerror(error));
		map_claim(&claims[i]);
		check_place(&claims[i], align);
	}
	while (i--)
		let_go(&claims[i]);
}

/* Parallel claims of all there is, over and over: each gets what it is entitled to. */
static void case_parallel(void)
{
	uint64_t share = attribute("cma/largest") / 8 / HUGE * HUGE;
	int i, k, status;

	for (i = 0; i < 6; i++)
		if (!fork()) {
			for (k = 0; k < 3; k++) {
				struct claim claim;

				claim_must(&claim, share);
				check_zero(&claim);
				fill(&claim, i);
				check(is_intact(&claim), "somebody else writes to it");
				let_go(&claim);
			}
			_exit(0);
		}
	for (i = 0; i < 6; i++)
		check(wait(&status) > 0 && !status, "one of them failed");
}

static void refused(int expected, struct cxlmem_buffer *b, const char *what)
{
	int error = ioctl(device, CXLMEM_IOC_CLAIM, b) ? errno : 0;

	check(error == expected, "%s: %s, not %s", what, strerror(error), strerror(expected));
}

static void case_arguments(void)
{
	union {
		__u32 words[1024];
		struct cxlmem_buffer b;
	} a;
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i, size = sizeof(a.b);

#define FRESH() do { memset(&a, 0, sizeof(a)); a.b.size = size; a.b.length = HUGE; } while (0)
	munmap(edge + PAGE, PAGE);
	refused(EFAULT, NULL, "null");
	refused(EFAULT, (void *)-4096ul, "the kernel's");
	for (i = 0; i < size; i += 4) {
		FRESH(); a.b.size = i; refused(EINVAL, &a.b, "too small");
	}
	FRESH(); a.b.size = 8192; refused(EINVAL, &a.b, "too large");
	FRESH(); a.b.size = ~0u; refused(EINVAL, &a.b, "the largest size");
	FRESH(); a.b.size += 8; a.words[size / 4] = 1; refused(E2BIG, &a.b, "not known");
	FRESH(); memcpy(edge + PAGE - size + 4, &a, size - 4);
	refused(EFAULT, (void *)(edge + PAGE - size + 4), "half of it is not mapped");
	for (i = 2; i < 32; i++) {
		FRESH(); a.b.flags = 1u << i; refused(EINVAL, &a.b, "flags");
	}
	FRESH(); a.b.flags = 3; refused(EINVAL, &a.b, "try and wait");
	FRESH(); a.b.length = 0; refused(EINVAL, &a.b, "nothing");
	FRESH(); a.b.length = ~0ull; refused(EINVAL, &a.b, "everything");
	FRESH(); a.b.length = ~0ull - HUGE; refused(ENOSPC, &a.b, "almost everything");
	FRESH(); a.b.length = ~0ull - HUGE; a.b.flags = CXLMEM_CLAIM_WAIT;
	refused(ENOSPC, &a.b, "what cannot ever be");
	FRESH(); a.b.length = attribute("usable_size") + 1; refused(ENOSPC, &a.b, "more than there is");
	FRESH(); a.b.align = 3; refused(EINVAL, &a.b, "not a power of two");
	FRESH(); a.b.align = HUGE + PAGE; refused(EINVAL, &a.b, "not a power of two");
	FRESH(); a.b.align = 1ull << 63; refused(ENOSPC, &a.b, "too much of an alignment");
	FRESH(); a.b.offset = 1; refused(EINVAL, &a.b, "offset");
	FRESH(); a.b.moved = 1; refused(EINVAL, &a.b, "moved");
	FRESH(); a.b.obstacle = 1; refused(EINVAL, &a.b, "obstacle");
	FRESH(); a.b.fd = -1; refused(EINVAL, &a.b, "fd");
	FRESH(); a.b.reserved0 = 1; refused(EINVAL, &a.b, "reserved");
	for (i = 0; i < 4; i++) {
		FRESH(); a.b.reserved[i] = 1ull << 63; refused(EINVAL, &a.b, "reserved");
	}
	check(!attribute("cma/claimed"), "something was claimed");

	/* A result that cannot be written is no claim. */
	edge = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FRESH();
	memcpy(edge, &a, size);
	mprotect(edge, PAGE, PROT_READ);
	refused(EFAULT, (void *)edge, "a structure that cannot be written");
	check(!attribute("cma/claimed"), "a claim that nobody knows of");
	check(!fcntl(device, F_GETFD) || errno != EBADF, "fd");
}

static int open_drm(const char *driver)
{
	char path[64], name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int i, fd;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR);
		if (fd >= 0 && !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver))
			return fd;
		close(fd);
	}
	fail("no DRM device of %s", driver);
}

/* vgem imports a claim, keeps it, and hands it on to another process. */
static void case_vgem(void)
{
	int drm = open_drm("vgem");
	struct drm_prime_handle prime = {};
	struct drm_gem_close gem = {};
	struct claim claim, again;

	claim_must(&claim, 8 << 20);
	fill(&claim, 7);
	prime.fd = claim.buffer.fd;
	check(!ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime), "import: %s", strerror(errno));
	let_go(&claim);
	check(attribute("cma/claimed") == 8 << 20, "the importer's reference does not count");

	prime.fd = -1;
	prime.flags = DRM_RDWR | DRM_CLOEXEC;
	check(!ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), "export: %s", strerror(errno));
	again = claim;
	again.buffer.fd = prime.fd;
	map_claim(&again);
	check(is_intact(&again), "other contents by way of the importer");
	let_go(&again);
	gem.handle = prime.handle;
	check(!ioctl(drm, DRM_IOCTL_GEM_CLOSE, &gem), "close");
	check(!attribute("cma/claimed"), "it is not free after the importer's reference");
}

static int open_video(const char *driver)
{
	struct v4l2_capability capability;
	char path[64];
	int i, fd;

	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR);
		if (fd >= 0 && !ioctl(fd, VIDIOC_QUERYCAP, &capability) &&
		    !strcmp((char *)capability.driver, driver) &&
		    capability.device_caps & V4L2_CAP_VIDEO_CAPTURE)
			return fd;
		close(fd);
	}
	fail("no video device of %s", driver);
}

/* vivid, a video device, writes a picture to a claim. */
static void case_vivid(void)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE, video = open_video("vivid");
	struct v4l2_requestbuffers buffers = {
		.count = 2, .type = type, .memory = V4L2_MEMORY_DMABUF };
	struct v4l2_format format = { .type = type };
	struct claim claims[2] = {};
	size_t i, k, written = 0;

	check(!ioctl(video, VIDIOC_G_FMT, &format), "format");
	check(!ioctl(video, VIDIOC_REQBUFS, &buffers), "buffers: %s", strerror(errno));
	for (i = 0; i < 2; i++) {
		struct v4l2_buffer buffer = {
			.index = i, .type = type, .memory = V4L2_MEMORY_DMABUF };

		claim_must(&claims[i], format.fmt.pix.sizeimage);
		buffer.m.fd = claims[i].buffer.fd;
		buffer.length = claims[i].buffer.length;
		check(!ioctl(video, VIDIOC_QBUF, &buffer), "queue: %s", strerror(errno));
	}
	check(!ioctl(video, VIDIOC_STREAMON, &type), "start: %s", strerror(errno));
	for (i = 0; i < 2; i++) {
		struct v4l2_buffer buffer = { .type = type, .memory = V4L2_MEMORY_DMABUF };

		check(!ioctl(video, VIDIOC_DQBUF, &buffer), "a picture: %s", strerror(errno));
		check(!(buffer.flags & V4L2_BUF_FLAG_ERROR), "a bad picture");
		for (k = 0; k < buffer.bytesused; k++)
			written += !!claims[buffer.index].memory[k];
		check(written > buffer.bytesused / 2, "the picture is all black: %zu of %u bytes", written,
		      buffer.bytesused);
		for (; k < claims[buffer.index].buffer.length; k++)
			check(!claims[buffer.index].memory[k], "it has written behind its picture");
		written = 0;
	}
	ioctl(video, VIDIOC_STREAMOFF, &type);
	close(video);
	let_go(&claims[0]);
	let_go(&claims[1]);
	check(!attribute("cma/claimed"), "not all is free");
}

/* A program that knows dma-heaps and nothing of cxlmem. */
static void case_heap(void)
{
	struct dma_heap_allocation_data data = { .len = 3 << 20, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/cxlmem0", O_RDWR | O_CLOEXEC);
	struct claim claim;

	check(heap >= 0, "/dev/dma_heap/cxlmem0: %s", strerror(errno));
	check(!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), "allocation: %s", strerror(errno));
	check(attribute("cma/claimed") == 4 << 20, "it is not a claim");
	claim.buffer.fd = data.fd;
	claim.buffer.length = lseek(data.fd, 0, SEEK_END);
	check(claim.buffer.length == 4 << 20, "it has another size");
	map_claim(&claim);
	check_zero(&claim);
	fill(&claim, 3);
	check(is_intact(&claim), "it is not memory");
	let_go(&claim);
	check(!attribute("cma/claimed"), "it is not free after the last reference");
	data.len = ~0ull & ~(PAGE - 1);
	check(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), "all memory of the world");
}

/* The same in another mode, or without a device: an error. */
static void case_heap_gone(void)
{
	struct dma_heap_allocation_data data = { .len = 3 << 20, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/cxlmem0", O_RDWR | O_CLOEXEC);

	check(heap >= 0, "/dev/dma_heap/cxlmem0: %s", strerror(errno));
	check(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), "an allocation from nothing");
	printf("%s\n", strerrorname_np(errno));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "heap", case_heap },
	{ "heap-gone", case_heap_gone },
	{ "basic", case_basic },
	{ "align", case_align },
	{ "parallel", case_parallel },
	{ "arguments", case_arguments },
	{ "vgem", case_vgem },
	{ "vivid", case_vivid },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		errx(2, "usage: claim hold|try|random|fuzz|CASE");
	device = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);
	if (device < 0 && strcmp(argv[1], "heap-gone"))
		err(1, "/dev/cxlmem0");
	if (!strcmp(argv[1], "hold") || !strcmp(argv[1], "try"))
		return hold(argc - 1, argv + 1, !strcmp(argv[1], "hold"));
	if (!strcmp(argv[1], "quota"))
		return quota(argc - 1, argv + 1);
	if (!strcmp(argv[1], "random"))
		return random_claims(argc - 1, argv + 1);
	if (!strcmp(argv[1], "fuzz"))
		return fuzz(argc - 1, argv + 1);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	errx(2, "there is no case \"%s\"", argv[1]);
}
