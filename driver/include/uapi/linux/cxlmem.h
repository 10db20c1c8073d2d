/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/cxlmemN: putting pages of a process on a device, in mode "driver", and
 * taking them off again; and claiming contiguous pieces of a device, in mode "cma".
 *
 * Every request begins with its size, which the caller sets to sizeof() of the
 * structure that it was compiled with. The structures only ever grow at their
 * end: what an older caller does not know is zero, and a newer caller is told
 * E2BIG if it asks for what an older driver does not know. Flags that are not
 * known and reserved fields that are not zero are refused with EINVAL. A caller
 * that clears its structures and sets the fields it knows gets all that right.
 *
 * All but CXLMEM_IOC_INFO and CXLMEM_IOC_CLAIM work on a range of an address space,
 * of whole pages, in order of address. A signal ends a request early; what has been
 * done by then stays done. If anything has been done the request succeeds, and
 * @done says how far it came: the caller goes on from there.
 *
 * Errors that all of them share:
 *	EFAULT	the structure, or what it points to, cannot be read or written
 *	EINVAL	unknown flags, reserved fields that are not zero, a size that is
 *		none, a range that is empty, wraps or is not of whole pages
 *	E2BIG	the structure has fields that this driver does not know, in use
 *	ENOTTY	no such request
 *	ENODEV	the device has gone; the file can only be closed
 *	EINTR	a signal came before anything was done
 * and those that work on a range:
 *	EBUSY	the device is not in mode "driver", or is just leaving it
 *	ENOMEM	the kernel has no memory for its own work
 */
#ifndef _UAPI_LINUX_CXLMEM_H
#define _UAPI_LINUX_CXLMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct cxlmem_info - what there is to know about a device and its caller
 * @size: in: size of this structure
 * @flags: in: none so far. Out: CXLMEM_INFO_*
 * @capacity: bytes that the modes "driver" and "cma" can hand out, 0 in another mode
 * @used: bytes of them that are in use; in mode "cma", that are claimed
 * @quota: bytes that a user may have on the device, 0 if there is no limit
 * @user_used: bytes that the caller's user has
 * @page_size: bytes of a page, the unit of all counts
 * @huge_size: a range aligned to this many bytes gets one piece of the device
 * @reserved: zero
 */
struct cxlmem_info {
	__u32 size;
	__u32 flags;
	__u64 capacity;
	__u64 used;
	__u64 quota;
	__u64 user_used;
	__u32 page_size;
	__u32 huge_size;
	__u64 reserved[4];
};

/* The device is in mode "driver". */
#define CXLMEM_INFO_DRIVER_MODE	(1 << 0)
/* A full device makes room (policy "evict"). */
#define CXLMEM_INFO_EVICTS	(1 << 1)
/* The device is in mode "cma". */
#define CXLMEM_INFO_CMA_MODE	(1 << 2)
/* The OS may use what nobody has claimed, in mode "cma". */
#define CXLMEM_INFO_LENDS	(1 << 3)

/**
 * struct cxlmem_counts - what became of the pages of a range
 * @moved: moved to the device, or off it
 * @created: created on the device, zeroed: they had never been touched
 * @already: were where they are wanted
 * @empty: have no contents yet: never touched, or the shared page of zeroes
 * @absent: swapped out, or somebody else was just moving them; for
 *	    CXLMEM_IOC_MOVE_OUT the empty ones, too
 * @host: have contents on the host, which CXLMEM_IOC_CREATE leaves there
 * @busy: in use by the kernel or a device (pinned), or locked
 * @file: belong to files or shared memory, which stay on the host
 * @special: cannot be moved at all: device or huge page mappings, pages that
 *	     KSM shares, mappings that may not be read
 * @unmapped: nothing is mapped there
 * @no_room: there was no room for them on the device, or on the host
 * @split: 2 MiB pages that the kernel had to split (not in the sum)
 * @evicted: pages of others or the caller's that made room (not in the sum)
 * @reserved: zero
 *
 * In pages. Those down to @no_room add up to the pages that are done.
 */
struct cxlmem_counts {
	__u64 moved;
	__u64 created;
	__u64 already;
	__u64 empty;
	__u64 absent;
	__u64 host;
	__u64 busy;
	__u64 file;
	__u64 special;
	__u64 unmapped;
	__u64 no_room;
	__u64 split;
	__u64 evicted;
	__u64 reserved[4];
};

/**
 * struct cxlmem_move - a range to be moved or created, and how that went
 * @size: in: size of this structure
 * @flags: in: none so far
 * @start: in: address of the range
 * @length: in: bytes of the range
 * @done: out: bytes that have been gone through, from @start
 * @pid: in: number of the process whose range it is, 0 for the caller's own
 * @reserved0: zero
 * @reserved: zero
 * @counts: out: what became of their pages
 *
 * Another process's memory is for callers of the same user and group (real,
 * effective and saved) with no fewer capabilities, and for those with
 * CAP_SYS_PTRACE. What is put on the device counts for the user whose process it
 * is. Further errors then:
 *	ESRCH	there is no such process, or it has ended meanwhile
 *	EPERM	it is not for the caller
 *
 * @done and @counts are written whatever the outcome, unless it is one of
 * EFAULT, EINVAL, E2BIG, ENOTTY and ENODEV. What cannot be moved is counted and
 * is no error, but for want of room:
 *	ENOSPC	the device is full (policy "deny", or nothing can be evicted),
 *		or, moving off, the host
 *	EDQUOT	the user has all that a user may have
 * The request stops there. What it has moved before stays moved.
 */
struct cxlmem_move {
	__u32 size;
	__u32 flags;
	__u64 start;
	__u64 length;
	__u64 done;
	__u32 pid;
	__u32 reserved0;
	__u64 reserved[3];
	struct cxlmem_counts counts;
};

/* Where a page is: a byte of &cxlmem_residency.vector. */
#define CXLMEM_PAGE_NONE	0	/* nowhere: empty, swapped out, or being moved just now */
#define CXLMEM_PAGE_HOST	1	/* in the host's memory */
#define CXLMEM_PAGE_DEVICE	2	/* on this device */
#define CXLMEM_PAGE_OTHER	3	/* cannot be told: not mapped, special, or not readable */

/**
 * struct cxlmem_residency - where the pages of a range are
 * @size: in: size of this structure
 * @flags: in: none so far
 * @start: in: address of the range
 * @length: in: bytes of the range
 * @vector: in: address of one byte for each page, or 0 if only sums are wanted
 * @done: out: bytes that have been gone through, from @start
 * @none: out: pages that are CXLMEM_PAGE_NONE
 * @host: out: pages that are CXLMEM_PAGE_HOST
 * @device: out: pages that are CXLMEM_PAGE_DEVICE
 * @other: out: pages that are CXLMEM_PAGE_OTHER
 * @reserved: zero
 *
 * True at some moment of the call for each page. Works in every mode.
 */
struct cxlmem_residency {
	__u32 size;
	__u32 flags;
	__u64 start;
	__u64 length;
	__u64 vector;
	__u64 done;
	__u64 none;
	__u64 host;
	__u64 device;
	__u64 other;
	__u64 reserved[4];
};

/* Only what is free right now: nothing is moved, and nobody is waited for. */
#define CXLMEM_CLAIM_TRY	(1 << 0)
/* Wait until there is room, and until what is in the way goes. */
#define CXLMEM_CLAIM_WAIT	(1 << 1)

/**
 * struct cxlmem_buffer - a contiguous piece of the device, as a dma-buf
 * @size: in: size of this structure
 * @flags: in: CXLMEM_CLAIM_TRY or CXLMEM_CLAIM_WAIT, or neither: move away what the
 *	   OS has there, but give up after a few attempts at what cannot be moved
 * @length: in: bytes that are wanted. Out: bytes of the dma-buf: whole pieces of
 *	    &cxlmem_info.huge_size
 * @align: in: what its address is to be a multiple of, a power of two, or 0.
 *	   It is a multiple of &cxlmem_info.huge_size anyway.
 * @offset: out: where it begins in the device's range
 * @moved: out: bytes that the OS had in its place, and that were moved away
 * @obstacle: out: where in the device's range something cannot be moved away that
 *	      was in its way; all ones if nothing was
 * @fd: in: 0. Out: file descriptor of the dma-buf, which is closed on exec
 * @reserved0: zero
 * @reserved: zero
 *
 * The memory is zeroed, and stays claimed until the last reference to the dma-buf
 * goes: file descriptors, mappings, and what devices have attached. It can be
 * mapped (shared mappings only, cached) and given to every driver that imports
 * dma-bufs. When the device goes, what is mapped is unmapped: to touch it then
 * gives SIGBUS, and devices cannot attach any more.
 *
 * Fields that are for results only must be zero, too. The results are written if it
 * succeeds, and for EADDRINUSE as well. Further errors:
 *	EBUSY	the device is not in mode "cma", or is just leaving it
 *	ENOSPC	there is no such piece between other claims
 *	EAGAIN	there is one, but not without moving what is there (CXLMEM_CLAIM_TRY)
 *	EADDRINUSE
 *		every such piece has something in it that cannot be moved, for
 *		example since it is pinned; @obstacle is where
 *	ENOMEM	the rest of the machine has no room for what is to be moved
 *	EDQUOT	the user has all that a user may have
 *	EMFILE	the process has too many open files
 */
struct cxlmem_buffer {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u64 align;
	__u64 offset;
	__u64 moved;
	__u64 obstacle;
	__s32 fd;
	__u32 reserved0;
	__u64 reserved[4];
};

#define CXLMEM_IOC_MAGIC	0xDC

/* About the device, in every mode. */
#define CXLMEM_IOC_INFO		_IOWR(CXLMEM_IOC_MAGIC, 1, struct cxlmem_info)
/* Move the range's contents to the device. */
#define CXLMEM_IOC_MOVE_IN	_IOWR(CXLMEM_IOC_MAGIC, 2, struct cxlmem_move)
/* Create the range's pages on the device where it has none yet. */
#define CXLMEM_IOC_CREATE	_IOWR(CXLMEM_IOC_MAGIC, 3, struct cxlmem_move)
/* Move what the range has on the device to the host. */
#define CXLMEM_IOC_MOVE_OUT	_IOWR(CXLMEM_IOC_MAGIC, 4, struct cxlmem_move)
/* Ask where the range's pages are. */
#define CXLMEM_IOC_RESIDENCY	_IOWR(CXLMEM_IOC_MAGIC, 5, struct cxlmem_residency)
/* Claim a contiguous piece of the device. */
#define CXLMEM_IOC_CLAIM	_IOWR(CXLMEM_IOC_MAGIC, 6, struct cxlmem_buffer)

#endif /* _UAPI_LINUX_CXLMEM_H */
