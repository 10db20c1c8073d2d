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
};

#define CXLMEM_OPTIONS_INIT {				\
	.size = sizeof(struct cxlmem_options),		\
	.node = CXLMEM_KEEP,				\
	.memmap = CXLMEM_KEEP,				\
	.timeout = CXLMEM_TIMEOUT,			\
}

/**
 * cxlmem_device_set_mode - bring a device into a mode
 * @dev: device
 * @mode: one of cxlmem_device_get_modes()
 * @options: how, or NULL
 *
 * Waits for its turn if another program works on the device. "system" also
 * sets zone, node and memmap (going through "offline" if the device is in
 * "system" with others) and onlines all memory blocks. Leaving "system" moves
 * the data to other nodes.
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
 * cxlmem_device_evacuate - move all data off a device, which stays in mode "system"
 * @dev: device
 * @options: how, or NULL; zone, node and memmap are not used
 *
 * The memory blocks are offline afterwards; cxlmem_device_set_mode(dev,
 * "system") brings them back. Returns as cxlmem_device_set_mode() does.
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
 * @options: zone, node and memmap are set here if the section has them
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
