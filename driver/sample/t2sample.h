/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What programs ask of the sample driver, at /dev/t2sampleN: work on their memory, at
 * the very addresses by which they have it. Whoever opens the file works on his own
 * address space; after a fork() the child has to open it anew.
 */
#ifndef T2SAMPLE_H
#define T2SAMPLE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct t2s_submit - a job for the engine
 * @op: enum t2_op, see t2accel.h
 * @flags: T2S_LOCK
 * @dst: where to, in the caller's address space; any memory that he may write to
 * @src: where from
 * @length: bytes
 * @operand: see enum t2_op
 * @compare: see enum t2_op
 * @id: to wait for it by; set by the driver
 *
 * Usually the engine's page faults are served as the CPU's are. With T2S_LOCK the
 * memory is locked while the job lasts, so that it does not fault; for jobs of no more
 * than 4 MiB, which wait until those before have unlocked enough.
 */
struct t2s_submit {
	__u32 op;
	__u32 flags;
#define T2S_LOCK	0x1
	__u64 dst;
	__u64 src;
	__u64 length;
	__u64 operand;
	__u64 compare;
	__u64 id;
};

/**
 * struct t2s_wait - how a job ended
 * @id: which job; it is forgotten then
 * @result: of the operation
 * @bytes: how far it came, at least
 * @status: enum t2_result: T2_FAULT if the caller may not do that to the address
 * @reserved: 0
 */
struct t2s_wait {
	__u64 id;
	__u64 result;
	__u64 bytes;
	__u32 status;
	__u32 reserved;
};

/**
 * struct t2s_stats - what has happened so far
 * @faults: page faults of the device served, by this file
 * @refused: those that were refused
 * @hot: pages that the device has asked for, in units of 64 KiB
 * @damped: those that were not moved, since the unit had left the device just before
 * @moved: pages of 4 KiB that were moved to the device because of that
 * @blocked: jobs that had to wait since others had locked too much, of all files
 * @copied: pages that the engine has copied for cxlmem
 * @local: bytes that the engine has worked on in its own memory
 * @remote: bytes elsewhere
 * @time: nanoseconds that it was at work
 */
struct t2s_stats {
	__u64 faults;
	__u64 refused;
	__u64 hot;
	__u64 damped;
	__u64 moved;
	__u64 blocked;
	__u64 copied;
	__u64 local;
	__u64 remote;
	__u64 time;
};

#define T2S_SUBMIT	_IOWR(0xDD, 1, struct t2s_submit)
#define T2S_WAIT	_IOWR(0xDD, 2, struct t2s_wait)
#define T2S_STATS	_IOR(0xDD, 3, struct t2s_stats)

#endif /* T2SAMPLE_H */
