/* SPDX-License-Identifier: LGPL-2.1 */
/*
 * libcxlmem: put the memory of cache-coherent accelerators to use, and take it
 * back.
 *
 * Conventions of all functions:
 *
 * - Addresses and amounts of memory are in bytes unless a name says otherwise.
 * - Functions that return int return 0 or a positive result on success and a
 *   negative errno on failure; cxlmem_error() then has a full sentence about
 *   the cause and the remedy.
 * - Strings that getters return belong to the object they were asked of and
 *   live as long as it does, or until it is refreshed.
 * - A context and all that comes from it may be used by one thread at a time.
 *   Different contexts are independent.
 * - Nothing is ever printed.
 */
#ifndef CXLMEM_LIBCXLMEM_H
#define CXLMEM_LIBCXLMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/cxlmem.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cxlmem_ctx;
struct cxlmem_device;

/* ---- context ------------------------------------------------------------ */

/**
 * cxlmem_new - make a context
 * @ctx: where to put it; freed with cxlmem_unref()
 *
 * Touches nothing on the machine yet. Returns 0, -ENOMEM, or the error of
 * opening the root directory.
 */
int cxlmem_new(struct cxlmem_ctx **ctx);

/**
 * cxlmem_ref - take one more reference
 * @ctx: context
 *
 * Returns @ctx.
 */
struct cxlmem_ctx *cxlmem_ref(struct cxlmem_ctx *ctx);

/**
 * cxlmem_unref - drop a reference; the last one frees the context and its devices
 * @ctx: context, or NULL
 */
void cxlmem_unref(struct cxlmem_ctx *ctx);

/**
 * cxlmem_set_sysroot - read everything below another directory than "/"
 * @ctx: context
 * @path: a directory that holds sys/, proc/ and the like, for tests
 *
 * Forgets the devices known so far. Returns 0 or the error of opening @path.
 */
int cxlmem_set_sysroot(struct cxlmem_ctx *ctx, const char *path);

/**
 * cxlmem_error - why the last failed call on this context failed
 * @ctx: context
 *
 * Returns a sentence without a full stop at its end ("" if nothing failed),
 * valid until the next call that fails.
 */
const char *cxlmem_error(struct cxlmem_ctx *ctx);

/**
 * cxlmem_parse_size - read an amount as people write it
 * @text: a decimal or 0x number, and K, M, G, T, P or E (powers of 1024), optionally with iB or B
 * @bytes: where to put it
 *
 * Returns 0, -EINVAL, or -ERANGE if it does not fit 64 bits. Sets no error text.
 */
int cxlmem_parse_size(const char *text, uint64_t *bytes);

/**
 * cxlmem_format_size - write an amount as people read it
 * @bytes: the amount
 * @text: room for the result, 8 bytes always suffice ("1023.9G")
 * @size: size of that room
 *
 * Returns @text.
 */
char *cxlmem_format_size(uint64_t bytes, char *text, size_t size);

/* ---- devices ------------------------------------------------------------ */

/*
 * Two kinds of device are found: those that the cxlmem driver manages
 * (cxlmem0), and the dax devices of the kernel's own drivers (dax0.0).
 */

/**
 * cxlmem_device_get_first - the first device
 * @ctx: context
 *
 * Reads the devices from the kernel when first called. Devices belong to the
 * context. Returns NULL if there is none, or on failure to read them.
 */
struct cxlmem_device *cxlmem_device_get_first(struct cxlmem_ctx *ctx);

/**
 * cxlmem_device_get_next - the device after this one, NULL after the last
 * @dev: device
 */
struct cxlmem_device *cxlmem_device_get_next(struct cxlmem_device *dev);

#define cxlmem_device_foreach(ctx, dev)                                    \
	for (dev = cxlmem_device_get_first(ctx); dev; dev = cxlmem_device_get_next(dev))

/**
 * cxlmem_device_find - the device that a person means
 * @ctx: context
 * @name: "cxlmem0", "dax0.0", a PCI address ("0000:0d:00.0" or "0d:00.0") or "serial:0x1234"
 * @dev: where to put it
 *
 * Returns 0, -ENODEV (the error text lists the devices there are), or
 * -ENOTUNIQ if several devices fit.
 */
int cxlmem_device_find(struct cxlmem_ctx *ctx, const char *name, struct cxlmem_device **dev);

/**
 * cxlmem_rescan - read the devices anew; all device pointers become invalid
 * @ctx: context
 */
int cxlmem_rescan(struct cxlmem_ctx *ctx);

/**
 * cxlmem_device_refresh - read one device's state anew
 * @dev: device
 *
 * Returns 0, or -ENODEV if it is gone.
 */
int cxlmem_device_refresh(struct cxlmem_device *dev);

/** cxlmem_device_get_ctx - the context of a device */
struct cxlmem_ctx *cxlmem_device_get_ctx(struct cxlmem_device *dev);
/** cxlmem_device_get_name - "cxlmem0" or "dax0.0" */
const char *cxlmem_device_get_name(struct cxlmem_device *dev);
/** cxlmem_device_get_kind - who manages it: "cxlmem", or "dax" for the kernel's own drivers */
const char *cxlmem_device_get_kind(struct cxlmem_device *dev);
/** cxlmem_device_get_parent - name of the device it belongs to, such as a PCI address, or "" */
const char *cxlmem_device_get_parent(struct cxlmem_device *dev);
/** cxlmem_device_get_driver - driver of the parent ("cxlmem_pci"; for dax: "kmem"), or "" */
const char *cxlmem_device_get_driver(struct cxlmem_device *dev);
/** cxlmem_device_get_mode - mode it is in, "unknown" if the kernel's word makes no sense */
const char *cxlmem_device_get_mode(struct cxlmem_device *dev);
/** cxlmem_device_get_modes - modes it can be put in, separated by blanks */
const char *cxlmem_device_get_modes(struct cxlmem_device *dev);
/**
 * cxlmem_device_get_state - how much of a device in a mode with memory blocks is online
 * @dev: device
 *
 * "online", "partly", "offline", or "" in a mode without memory blocks, and for
 * a dax device if the caller is not root and so may not know its range.
 */
const char *cxlmem_device_get_state(struct cxlmem_device *dev);
/** cxlmem_device_get_zone - "movable" or "kernel", "" if unknown */
const char *cxlmem_device_get_zone(struct cxlmem_device *dev);
/** cxlmem_device_get_source - how the driver found the memory, see docs/ABI; "" if unknown */
const char *cxlmem_device_get_source(struct cxlmem_device *dev);
/** cxlmem_device_get_node - its NUMA node, -1 if none is known */
int cxlmem_device_get_node(struct cxlmem_device *dev);
/** cxlmem_device_get_memmap - 1 if the memory map is on the device, 0 on the host, -1 unknown */
int cxlmem_device_get_memmap(struct cxlmem_device *dev);
/** cxlmem_device_get_serial - serial number, 0 if it has none */
uint64_t cxlmem_device_get_serial(struct cxlmem_device *dev);
/** cxlmem_device_get_start - first host physical address */
uint64_t cxlmem_device_get_start(struct cxlmem_device *dev);
/** cxlmem_device_get_size - size of the memory, 0 if unknown */
uint64_t cxlmem_device_get_size(struct cxlmem_device *dev);
/** cxlmem_device_get_usable_start - first address of the whole memory blocks inside */
uint64_t cxlmem_device_get_usable_start(struct cxlmem_device *dev);
/** cxlmem_device_get_usable_size - size of the whole memory blocks inside */
uint64_t cxlmem_device_get_usable_size(struct cxlmem_device *dev);
/** cxlmem_device_get_online - bytes of memory blocks that are online */
uint64_t cxlmem_device_get_online(struct cxlmem_device *dev);
/** cxlmem_device_get_offline - bytes of memory blocks that exist and are not online */
uint64_t cxlmem_device_get_offline(struct cxlmem_device *dev);
/** cxlmem_device_get_used - bytes in use, -1 if unknown (as when the node has other memory too) */
int64_t cxlmem_device_get_used(struct cxlmem_device *dev);
/** cxlmem_device_get_capacity - bytes that mode "driver" can hand out, 0 in another mode */
uint64_t cxlmem_device_get_capacity(struct cxlmem_device *dev);
/**
 * cxlmem_device_get_free - bytes that are not in use
 * @dev: device
 *
 * Of those that are online in the modes "system" and "cma", and of the capacity in
 * mode "driver". -1 if that cannot be told, and in mode "offline".
 */
int64_t cxlmem_device_get_free(struct cxlmem_device *dev);
/** cxlmem_device_get_policy - "deny" or "evict": what mode "driver" does if it is full; "" if unknown */
const char *cxlmem_device_get_policy(struct cxlmem_device *dev);
/** cxlmem_device_get_quota - bytes that a user may have in the modes "driver" and "cma", 0: no limit, -1: unknown */
int64_t cxlmem_device_get_quota(struct cxlmem_device *dev);
/** cxlmem_device_get_lend - 1 if the system may use what is not claimed in mode "cma", 0: no, -1: unknown */
int cxlmem_device_get_lend(struct cxlmem_device *dev);
/** cxlmem_device_get_claimed - bytes that are claimed in mode "cma", 0 in another mode */
uint64_t cxlmem_device_get_claimed(struct cxlmem_device *dev);
/** cxlmem_device_get_distance - distance of the node from the nearest node with CPUs, or -1 */
int cxlmem_device_get_distance(struct cxlmem_device *dev);
/** cxlmem_device_get_read_latency - nanoseconds, as the firmware states them, or -1 */
int64_t cxlmem_device_get_read_latency(struct cxlmem_device *dev);
/** cxlmem_device_get_read_bandwidth - MB/s, as the firmware states them, or -1 */
int64_t cxlmem_device_get_read_bandwidth(struct cxlmem_device *dev);
/** cxlmem_device_get_tier - number of the node's memory tier, or -1 */
int cxlmem_device_get_tier(struct cxlmem_device *dev);

/* ---- changing the mode -------------------------------------------------- */

/** enum cxlmem_result - how a successful operation ended */
enum cxlmem_result {
	CXLMEM_DONE = 0,	/* all of it was done */
	CXLMEM_ALREADY = 1,	/* there was nothing to do */
	CXLMEM_PARTLY = 2,	/* a part was done and kept; cxlmem_error() says what is left */
};

/** enum cxlmem_event_type - what an operation has to tell while it runs */
enum cxlmem_event_type {
	CXLMEM_EVENT_STEP,	/* text: what is done next (or would be, in a dry run) */
	CXLMEM_EVENT_PROGRESS,	/* text: what is going on; done, total; ten times a second */
	CXLMEM_EVENT_WARNING,	/* text: something the owner should know */
	CXLMEM_EVENT_WAIT,	/* text: who holds the device, which is being waited for */
	CXLMEM_EVENT_BLOCK,	/* a block that failed: block, start, size, reason, pages */
	CXLMEM_EVENT_KERNEL,	/* text: a line of the kernel's log about this operation */
};

/**
 * struct cxlmem_event - one piece of news; valid during the call only
 *
 * More members may be added at the end.
 */
struct cxlmem_event {
	enum cxlmem_event_type type;
	const char *text;	/* a sentence, or NULL */
	uint64_t done;		/* bytes */
	uint64_t total;		/* bytes */
	uint64_t block;		/* number of the memory block */
	uint64_t start;		/* its address */
	uint64_t size;		/* its size */
	const char *reason;	/* why it failed, in words */
	const char *pages;	/* kinds of pages in it with amounts, NULL if not known */
	const char *remedy;	/* what to do about it, NULL if nobody knows */
};

/* Flags of struct cxlmem_options. */
#define CXLMEM_PARTIAL	(1u << 0)	/* keep what was done if all cannot be done */
#define CXLMEM_FORCE	(1u << 1)	/* whatever node; a devdax device in use; no room check */
#define CXLMEM_DRY_RUN	(1u << 2)	/* tell the steps and the checks, change nothing */
#define CXLMEM_NO_WAIT	(1u << 3)	/* fail if another program works on the device */

#define CXLMEM_KEEP	(-1)		/* leave a setting as it is */
#define CXLMEM_TIMEOUT	300		/* default timeout, seconds */

/**
 * struct cxlmem_options - how to do an operation
 * @size: sizeof(struct cxlmem_options), so that members can be added
 * @flags: CXLMEM_PARTIAL and the like
 * @zone: "movable", "kernel", or NULL to keep what is set
 * @node: NUMA node, or CXLMEM_KEEP
 * @memmap: 1 to keep the memory map on the device, 0 on the host, or CXLMEM_KEEP
 * @timeout: give up after this many seconds without progress, 0 for never
 * @event: called with what happens, may be NULL; if it returns anything but 0 the operation is
 *	stopped and undone
 * @data: handed to @event
 * @policy: "deny", "evict", or NULL to keep what is set; for mode "driver"
 * @quota: bytes that a user may have on the device, 0 for no limit, or CXLMEM_KEEP; for the
 *	modes "driver" and "cma"
 * @lend: 1 to let the system use what is not claimed, 0 not to, or CXLMEM_KEEP; for mode "cma"
 * @jobs: threads that move what processes have there off, 0 for one for each CPU; for leaving
 *	the modes "system" and "cma"
 * @rate: bytes a second that they move at most, 0 for no limit. What no process has mapped is left
 *	to the kernel, which knows no limit.
 * @to: node that they move it to, or CXLMEM_KEEP for the nearest that is no device's
 */
struct cxlmem_options {
	size_t size;
	unsigned int flags;
	const char *zone;
	int node;
	int memmap;
	unsigned int timeout;
	int (*event)(const struct cxlmem_event *event, void *data);
	void *data;
	const char *policy;
	int64_t quota;
	int lend;
	unsigned int jobs;
	uint64_t rate;
	int to;
};

#define CXLMEM_OPTIONS_INIT {				\
	.size = sizeof(struct cxlmem_options),		\
	.node = CXLMEM_KEEP,				\
	.memmap = CXLMEM_KEEP,				\
	.timeout = CXLMEM_TIMEOUT,			\
	.quota = CXLMEM_KEEP,				\
	.lend = CXLMEM_KEEP,				\
	.to = CXLMEM_KEEP,				\
}

/**
 * cxlmem_device_set_mode - bring a device into a mode
 * @dev: device
 * @mode: one of cxlmem_device_get_modes()
 * @options: how, or NULL
 *
 * Waits for its turn if another program works on the device. "system" also
 * sets zone, node and memmap (going through "offline" if the device is in
 * "system" with others) and onlines all memory blocks. "driver" also sets
 * policy and quota, which can be done while it is in use. "cma" onlines all memory
 * blocks, too, and sets quota and lend, which can be done while it is in use; zone
 * "kernel" is refused. Leaving "system" or "driver" moves the data to other nodes, and
 * so does leaving "cma", which fails as long as something is claimed.
 *
 * Returns an enum cxlmem_result, or: -EINVAL no such mode or setting, -EINTR
 * stopped, -ETIMEDOUT, -EBUSY some memory cannot be moved or the device is
 * busy, -ENOSPC too little memory elsewhere, -EDOM no node, -EPERM not
 * allowed. After a failure the device is as it was; should that itself fail,
 * the result is CXLMEM_PARTLY.
 */
int cxlmem_device_set_mode(struct cxlmem_device *dev, const char *mode,
			   const struct cxlmem_options *options);

/**
 * cxlmem_device_evacuate - move all data off a device, which stays in its mode
 * @dev: device
 * @options: how, or NULL; nothing is set
 *
 * In mode "system" the memory blocks are offline afterwards, and
 * cxlmem_device_set_mode(dev, "system") brings them back. In mode "driver" the
 * device is empty afterwards, and open to all who ask. Returns as
 * cxlmem_device_set_mode() does.
 */
int cxlmem_device_evacuate(struct cxlmem_device *dev, const struct cxlmem_options *options);

/* ---- giving devices to the driver and back ------------------------------ */

/**
 * cxlmem_bind - give a PCI function or a range of memory to the driver
 * @ctx: context
 * @what: a PCI address, "START+SIZE", or the name of a dax device of the hmem driver
 * @options: node, flags and event are used; or NULL
 * @dev: where to put the new device; may be NULL
 *
 * Loads the module that is needed. Rereads all devices. Returns CXLMEM_DONE,
 * CXLMEM_ALREADY, -EINVAL if @what makes no sense, or another negative errno,
 * in which case the former driver has the function or range again. In a dry
 * run there is no new device and @dev is set to NULL.
 */
int cxlmem_bind(struct cxlmem_ctx *ctx, const char *what, const struct cxlmem_options *options,
		struct cxlmem_device **dev);

/**
 * cxlmem_device_unbind - take a device out of use and away from the driver
 * @dev: device; no longer valid after success
 * @options: as for cxlmem_device_set_mode()
 *
 * A PCI function goes back to the driver that the kernel would choose. Returns
 * as cxlmem_device_set_mode(dev, "offline") does.
 */
int cxlmem_device_unbind(struct cxlmem_device *dev, const struct cxlmem_options *options);

/* ---- using the memory --------------------------------------------------- */

/**
 * cxlmem_device_bind_memory - let this thread and its children allocate on the device
 * @dev: device in mode "system"
 * @prefer: true to fall back to other nodes when it is full
 *
 * Sets the memory policy of the calling thread, which exec keeps. Returns 0,
 * -ENXIO if none of the device's memory is online, or another error.
 */
int cxlmem_device_bind_memory(struct cxlmem_device *dev, bool prefer);

/* ---- memory on a device in mode "driver" --------------------------------- */

/*
 * A device in mode "driver" takes only what it is asked to. Memory there is
 * ordinary memory to the program: it is read and written as ever, and charged to
 * its cgroup. The device's owner can take it back at any time, and so can policy
 * "evict": the contents are on the host then, at the same address.
 *
 * These work on the memory of the calling process, by a file descriptor. But for
 * cxlmem_device_open() they use no context, set no error text, and can be called
 * by any thread at any time; also on the same range, where both do a part of the
 * work. The structures and the counts in them are those of <linux/cxlmem.h>. The
 * caller sets their member size to sizeof() before each call; the rest is only
 * written.
 *
 * A signal does not end them: its handler runs, and they go on. Who wants to be
 * able to stop moves in pieces. All can return these:
 *	-EINVAL	a range that is empty or is not of whole pages, an unknown flag
 *	-EBUSY	the device is not in mode "driver", or is just leaving it
 *	-ENOMEM	the kernel has no memory for its own work
 *	-ENODEV	the device has gone; the descriptor can only be closed
 *	-ENOTTY, -E2BIG	the descriptor is of something else, or of an older driver
 *	-EPROTO	what the driver says makes no sense
 */

/**
 * cxlmem_device_open - get access to a device's memory
 * @dev: device of the cxlmem driver, in any mode
 *
 * Returns a file descriptor of /dev/cxlmemN, close-on-exec, which the caller
 * closes with close(2); memory on the device stays there when it is closed. Or:
 * -EACCES (one has to be in the group of the file), -ENOENT, -EOPNOTSUPP for a
 * dax device.
 */
int cxlmem_device_open(struct cxlmem_device *dev);

/**
 * cxlmem_get_info - how much there is, is in use, and may be used
 * @fd: from cxlmem_device_open()
 * @info: where to put it
 */
int cxlmem_get_info(int fd, struct cxlmem_info *info);

/* Flag of cxlmem_alloc(): what does not fit on the device is on the host when it is touched. */
#define CXLMEM_ALLOC_HOST_TOO	(1u << 0)

/**
 * cxlmem_alloc - allocate memory on the device
 * @fd: from cxlmem_device_open()
 * @size: bytes; rounded up to whole pages
 * @flags: 0 or CXLMEM_ALLOC_HOST_TOO
 * @memory: where to put its address
 *
 * The memory is zeroed, aligned to a page, and to 2 MiB if it is that large. It
 * belongs to the caller until cxlmem_free(), or munmap(2), also of a part; it
 * needs no open descriptor. A child process of fork(2) shares it until one of
 * both writes; the copy that is then made is on the host.
 *
 * Returns 0, or an error, and then nothing has been allocated: -ENOSPC the device
 * is full, -EDQUOT the user has all that a user may have, -EBUSY also if some
 * page cannot be put there just now, -ENOMEM also if there is no address space.
 */
int cxlmem_alloc(int fd, size_t size, unsigned int flags, void **memory);

/**
 * cxlmem_free - give memory back
 * @memory: from cxlmem_alloc(), or NULL
 * @size: what was asked for then
 *
 * Returns 0, or an error of munmap(2).
 */
int cxlmem_free(void *memory, size_t size);

/**
 * cxlmem_move_in - move what a range of memory holds to the device
 * @fd: from cxlmem_device_open()
 * @start: of whole pages, however they were allocated
 * @length: bytes; what is not mapped in between does no harm
 * @result: how far it came (done, in bytes) and what became of the pages
 *	(counts, in pages); or NULL
 *
 * What cannot be moved is counted and is no error. Returns 0, -ENOSPC if the
 * device is full, -EDQUOT if the user has all that a user may have, or another
 * error. What was moved before an error stays moved, @result says how much.
 */
int cxlmem_move_in(int fd, const void *start, size_t length, struct cxlmem_move *result);

/**
 * cxlmem_move_out - move what a range of memory has on the device to the host
 *
 * As cxlmem_move_in(); -ENOSPC here means that the host is full.
 */
int cxlmem_move_out(int fd, const void *start, size_t length, struct cxlmem_move *result);

/**
 * cxlmem_create - create the pages of a range on the device where it has none yet
 *
 * As cxlmem_move_in(). Pages that have contents stay where they are.
 */
int cxlmem_create(int fd, const void *start, size_t length, struct cxlmem_move *result);

/**
 * cxlmem_get_residency - ask where the pages of a range are
 * @fd: from cxlmem_device_open()
 * @start: of whole pages
 * @length: bytes
 * @vector: room for one byte for each page, which will be CXLMEM_PAGE_*; or NULL
 * @result: how many are where
 *
 * Works in every mode. It was true of each page at some moment of the call.
 */
int cxlmem_get_residency(int fd, const void *start, size_t length, unsigned char *vector,
			 struct cxlmem_residency *result);

/* ---- other processes ----------------------------------------------------- */

/**
 * cxlmem_device_move_process - move the memory of another process
 * @dev: device in mode "driver"
 * @pid: the process
 * @out: move it off the device, instead of to it
 * @options: event and data are used; or NULL
 * @result: as for cxlmem_move_in(); or NULL
 *
 * The process goes on meanwhile, and waits only where it touches a page that is
 * just being moved. What is put on the device counts for its user. It is for
 * callers of the same user and group with no fewer capabilities, and for those
 * with CAP_SYS_PTRACE.
 *
 * Returns as cxlmem_move_in() does, or: -ESRCH no such process, -EPERM it is not
 * for the caller, -EINTR stopped by @options->event, -EACCES as
 * cxlmem_device_open(). What was moved before an error stays moved.
 */
int cxlmem_device_move_process(struct cxlmem_device *dev, pid_t pid, bool out,
			       const struct cxlmem_options *options, struct cxlmem_move *result);

/**
 * struct cxlmem_owner - a process that has memory on a device; valid during the call only
 * @pid: its number
 * @uid: its user
 * @command: its name
 * @bytes: what it has there; what processes share counts for each
 * @cgroup: path of its cgroup (unified hierarchy), or ""
 * @huge: how much of that is mapped as huge pages
 * @held: how much of that is held by somebody, such as unfinished I/O, and cannot be moved now
 * @note: what an evacuation should know of it, in words, or ""
 *
 * More members may be added at the end.
 */
struct cxlmem_owner {
	pid_t pid;
	uid_t uid;
	const char *command;
	uint64_t bytes;
	const char *cgroup;
	uint64_t huge;
	uint64_t held;
	const char *note;
};

/**
 * cxlmem_device_who - which processes have memory on a device
 * @dev: device, in any mode
 * @owner: called with each; if it returns anything but 0 that ends it
 * @data: handed to @owner
 *
 * Looks at the page tables of all processes, so only root can do this, and it
 * takes the longer the more memory is in use. It was true of each page at some
 * moment of the call. The memory of the page cache and the kernel, which no
 * process has mapped, is not found.
 *
 * Returns the sum of all bytes, what @owner returned if that is negative, -EPERM,
 * or another error.
 */
int64_t cxlmem_device_who(struct cxlmem_device *dev,
			  int (*owner)(const struct cxlmem_owner *owner, void *data), void *data);

/**
 * struct cxlmem_content - memory on a device that is of one kind; valid during the call only
 * @kind: "anonymous", "file", "slab" and the like
 * @name: of a file: type and name of the file system, such as "ext4 vda1"; else ""
 * @bytes: how much there is
 * @movable: whether the kernel can move such memory
 *
 * More members may be added at the end.
 */
struct cxlmem_content {
	const char *kind;
	const char *name;
	uint64_t bytes;
	bool movable;
};

/**
 * cxlmem_device_contents - of what kinds the memory in use on a device is
 * @dev: device
 * @content: called with each kind; if it returns anything but 0 that ends it
 * @data: handed to @content
 *
 * For what is online in the modes "system" and "cma", there without the claims; there
 * is nothing to tell of the others.
 * The file systems are known of devices of the cxlmem driver. For root only.
 *
 * Returns the sum of all bytes, what @content returned if that is negative, -EPERM,
 * or another error.
 */
int64_t cxlmem_device_contents(struct cxlmem_device *dev,
			       int (*content)(const struct cxlmem_content *content, void *data),
			       void *data);

/**
 * struct cxlmem_block - one memory block of a device
 * @index: its number, as in /sys/devices/system/memory/memoryN
 * @start: its address
 * @size: its size
 * @state: "online", "offline", or "absent" in a mode without memory blocks
 * @used: bytes in use, 0 if that is not known
 *
 * More members may be added at the end.
 */
struct cxlmem_block {
	uint64_t index;
	uint64_t start;
	uint64_t size;
	const char *state;
	uint64_t used;
};

/**
 * cxlmem_device_get_block - the state of a memory block, and how full it is
 * @dev: device
 * @n: which of its blocks, from 0
 * @block: where to put it
 *
 * Can be called by an event function, for a picture of what goes on. It takes about a
 * millisecond for an online block of 128 MiB, longer for a larger one. Returns 0,
 * or -ERANGE if there are not as many blocks. Sets no error text.
 */
int cxlmem_device_get_block(struct cxlmem_device *dev, size_t n, struct cxlmem_block *block);

/* ---- contiguous memory of a device in mode "cma" ------------------------- */

/**
 * cxlmem_device_claim - claim a contiguous piece of a device
 * @dev: device in mode "cma"
 * @buffer: in: size is sizeof(*@buffer), length is how many bytes are wanted, align is a
 *	power of two that its address is to be a multiple of, or 0, flags is
 *	CXLMEM_CLAIM_TRY (only what is free right now), CXLMEM_CLAIM_WAIT (wait for
 *	others to let go), or 0; all else zero. Out: length is how many bytes there are,
 *	offset is where in the device's range, moved is how many bytes of the
 *	system's were moved away for it.
 *
 * Returns a file descriptor of a dma-buf, close-on-exec, of zeroed memory: it can be
 * mapped (shared), passed to other processes, and given to drivers that import
 * dma-bufs. It belongs to the caller, who closes it with close(2); the memory is
 * claimed until the last descriptor, mapping and importer has gone. It counts for
 * the caller's user.
 *
 * What the system has there is moved away first, which takes the longer the more it
 * is. A signal to the thread ends it early. Others see how far it is by
 * cxlmem_device_get_taking(), of a context of their own.
 *
 * Or returns: -EBUSY the device is not in mode "cma", or is just leaving it, -ENOSPC
 * there is no such piece between the other claims, -EAGAIN there is one but not
 * without moving what is there (CXLMEM_CLAIM_TRY), -EADDRINUSE each has something in
 * it that cannot be moved (one that is in the way is at @buffer->obstacle of the
 * device's range), -ENOMEM no room elsewhere for what is to be moved, -EDQUOT the
 * user has all that a user may have, -EINVAL a length of 0 or an align that is no power
 * of two, -EINTR a signal came, -EACCES and others as cxlmem_device_open(). Nothing
 * has been claimed then.
 */
int cxlmem_device_claim(struct cxlmem_device *dev, struct cxlmem_buffer *buffer);

/** cxlmem_device_get_taking - bytes that are just being taken from the system, for claims or lend */
uint64_t cxlmem_device_get_taking(struct cxlmem_device *dev);

/**
 * struct cxlmem_claim - a claim, and a process that has it; valid during the call only
 * @id: its number, which no other claim ever has: the inode's of the dma-buf
 * @offset: where in the device's range it begins
 * @size: bytes
 * @uid: the user that it counts for
 * @maker: the process that made it, which may have passed it on, or have ended
 * @maker_command: that process's name
 * @pid: a process that has it open or mapped now; 0 if there is none that the caller
 *	can see: a device has it then, or a process of another user's
 * @command: the name of process @pid
 */
struct cxlmem_claim {
	uint64_t id;
	uint64_t offset;
	uint64_t size;
	uid_t uid;
	pid_t maker;
	const char *maker_command;
	pid_t pid;
	const char *command;
};

/**
 * cxlmem_device_claims - list the claims on a device, and who has them
 * @dev: device of the cxlmem driver
 * @claim: called for each claim and process that has it, and once for a claim that
 *	no process is seen to have; if it returns anything but 0 that ends it
 * @data: handed to @claim
 *
 * Looks at the open files and mappings of all processes; only root sees those of
 * others. Returns 0, what @claim returned, or an error.
 */
int cxlmem_device_claims(struct cxlmem_device *dev,
			 int (*claim)(const struct cxlmem_claim *claim, void *data), void *data);

/* ---- configuration ------------------------------------------------------ */

struct cxlmem_config;

/**
 * cxlmem_config_load - read and check the configuration
 * @ctx: context
 * @path: file, or NULL for /etc/cxlmem/cxlmem.conf
 * @config: where to put it; freed with cxlmem_config_free()
 *
 * Without the default file the configuration is empty. Returns 0, -EINVAL
 * (the error text names file, line and word), or an error of reading.
 */
int cxlmem_config_load(struct cxlmem_ctx *ctx, const char *path, struct cxlmem_config **config);

/** cxlmem_config_free - free a configuration, or NULL */
void cxlmem_config_free(struct cxlmem_config *config);

/**
 * cxlmem_config_match - what the configuration says about a device
 * @config: configuration
 * @dev: device
 * @mode: where to put the mode it is to have; the string belongs to @config
 * @options: zone, node, memmap, policy, quota and lend are set here if the section has them
 *
 * Returns the name of the first section that matches, or NULL.
 */
const char *cxlmem_config_match(struct cxlmem_config *config, struct cxlmem_device *dev,
				const char **mode, struct cxlmem_options *options);

/* ---- checking the machine ----------------------------------------------- */

/** enum cxlmem_severity - how bad a finding is */
enum cxlmem_severity {
	CXLMEM_OK,		/* as it should be */
	CXLMEM_NOTE,		/* worth knowing */
	CXLMEM_PROBLEM,		/* in the way */
};

/**
 * struct cxlmem_finding - the result of one check; valid during the call only
 * @severity: how bad it is
 * @check: a short name of the check that does not change, such as "auto-online"
 * @text: what was found, and what it means
 * @fix: what to do about it, or NULL
 */
struct cxlmem_finding {
	enum cxlmem_severity severity;
	const char *check;
	const char *text;
	const char *fix;
};

/**
 * cxlmem_doctor - look for what will get in the way on this machine
 * @ctx: context
 * @finding: called with each finding
 * @data: handed to @finding
 *
 * Returns the number of problems, or a negative errno.
 */
int cxlmem_doctor(struct cxlmem_ctx *ctx,
		  void (*finding)(const struct cxlmem_finding *finding, void *data), void *data);

#ifdef __cplusplus
}
#endif

#endif
