/* SPDX-License-Identifier: GPL-2.0 */
/*
 * t2accel: registers and rings of the accelerator in a CXL Type-2 function, for
 * its model (tests/type2) and for its drivers.
 *
 * The function has two BARs. BAR 0 is its CXL component registers (found through
 * the Register Locator, as in any CXL function). BAR 2 has what is described
 * here, and the MSI-X table.
 *
 * Everything is little endian. Registers are accessed in words of 4 or 8 bytes,
 * aligned. A 64-bit register that counts may change between two reads of 4 bytes.
 *
 * Addresses. A command names memory by host physical address, or by an address of
 * a process (a PASID), which the engine translates by a page table that the
 * driver keeps in memory. A physical address that the function's HDM decoder
 * decodes is local. Any other is host memory, or another device's HDM; the
 * engine touches it only while Bus Master Enable is set.
 *
 * Rings. Both sides count what they have put in and taken out in 32-bit numbers
 * that are never reset and wrap; the place of number n is n modulo the ring's
 * size, a power of two. The host reports its numbers in registers. The device
 * writes an entry's `seq` last: it is the entry's number plus one. So the host
 * clears a ring before it enables it, and then waits for the seq that is next.
 * A ring is aligned to the size of its entries.
 *
 * To start: write rings and sizes, T2_CTRL_ENABLE, then T2_QUEUE_CTRL of each
 * queue. What of a ring or a size is written while it is in use has no effect.
 */
#ifndef T2ACCEL_H
#define T2ACCEL_H

#include <linux/types.h>

/* Nobody's: 0x1234 is what emulated devices use that no vendor stands behind. */
#define T2_PCI_VENDOR		0x1234
#define T2_PCI_DEVICE		0x7432
#define T2_PCI_CLASS		0x120000	/* processing accelerator */

#define T2_BAR_COMPONENT	0
#define T2_BAR_REGS		2
#define T2_BAR_SIZE		0x10000
#define T2_MSIX_TABLE		0x8000		/* in BAR 2 */
#define T2_MSIX_PBA		0xc000

#define T2_QUEUES		4
#define T2_RING_MAX		4096		/* entries */
#define T2_NO_PASID		0xffffffffu	/* in reports: a physical address */

/* MSI-X vectors. */
#define T2_VECTOR_ERROR		0		/* T2_ERROR has a new bit */
#define T2_VECTOR_FAULT		1		/* the fault ring has a new entry */
#define T2_VECTOR_HOT		2		/* the hot ring has a new entry */
#define T2_VECTOR_QUEUE(q)	(3 + (q))	/* a command is done that asked for it, or failed */
#define T2_VECTORS		(3 + T2_QUEUES)

/* Registers in BAR 2. (64) is two words, low first; (ro) is read only. */
#define T2_ID			0x000		/* (ro) T2_ID_VALUE; all ones: the device is gone */
#define   T2_ID_VALUE		0x43413254	/* "T2AC" */
#define T2_VERSION		0x004		/* (ro) of this layout: 1 */
#define T2_CTRL			0x008
#define   T2_CTRL_ENABLE	(1u << 0)	/* cleared: the engine pauses, see T2_STATUS_IDLE */
#define   T2_CTRL_RESET		(1u << 1)	/* back to power-on values; commands are forgotten */
#define T2_STATUS		0x00c		/* (ro) */
#define   T2_STATUS_IDLE	(1u << 0)	/* nothing touches memory until told to go on */
#define T2_ERROR		0x010		/* what went wrong; write ones to clear */
#define   T2_ERROR_RING		(1u << 0)	/* a ring could not be read or written; its queue stops */
#define   T2_ERROR_BUS_MASTER	(1u << 1)	/* host memory needed while Bus Master Enable was off */
#define   T2_ERROR_ADDRESS	(1u << 2)	/* an address that leads nowhere */
#define   T2_ERROR_POISON	(1u << 3)	/* poison was consumed */
#define   T2_ERROR_TABLE	(1u << 4)	/* a page table with nonsense in it */
#define T2_ERROR_ADDR		0x018		/* (64, ro) physical, of the last of them */

/* Processes: an array of T2_PASIDS entries, each the physical address of a root table. */
#define T2_PASID_TABLE		0x020		/* (64) */
#define T2_PASIDS		0x028
/*
 * The engine remembers translations. Before a page is given to somebody else the
 * driver clears its entry, then writes here; a write to T2_INV_PAGES starts the
 * invalidation (T2_INV_ALL: all of the PASID). It is over, and no access through
 * what was forgotten is under way, once T2_INV_DONE has been counted up.
 */
#define T2_INV_ADDR		0x030		/* (64) */
#define T2_INV_PASID		0x038
#define T2_INV_PAGES		0x03c		/* of 4 KiB */
#define   T2_INV_ALL		0xffffffffu
#define T2_INV_DONE		0x040		/* (ro) invalidations done, since reset */

/* Page faults: a ring of struct t2_fault. A queue waits while one of its own is open. */
#define T2_FAULT_RING		0x048		/* (64) */
#define T2_FAULT_SIZE		0x050		/* entries; 0: no ring, faults fail the command */
#define T2_FAULT_TAKEN		0x054		/* entries that the host has taken out */

/*
 * Hot pages: a ring of struct t2_hot. The engine counts its accesses per unit
 * of 2^T2_HOT_SHIFT bytes; a unit of host memory whose count has reached the
 * threshold is reported, and counted from zero again. If the ring is full the
 * report is dropped.
 */
#define T2_HOT_RING		0x058		/* (64) */
#define T2_HOT_SIZE		0x060		/* entries; 0: no ring, no reports */
#define T2_HOT_TAKEN		0x064
#define T2_HOT_THRESHOLD	0x068		/* accesses; 0: no reports */
#define T2_HOT_SHIFT		0x06c		/* 12 (the default) to 30 */
#define T2_HOT_DROPPED		0x070		/* (ro) reports dropped, since reset */

/* What the engine has done since reset. Time is what such a device might take, not measured. */
#define T2_LOCAL_BYTES		0x078		/* (64, ro) in its own HDM */
#define T2_REMOTE_BYTES		0x080		/* (64, ro) anywhere else */
#define T2_MODEL_TIME		0x088		/* (64, ro) nanoseconds */

/* A queue: a ring of struct t2_command and one, of the same size, of struct t2_completion. */
#define T2_QUEUE(q)		(0x100 + 0x40 * (q))
#define T2_QUEUE_RING		0x00		/* (64) */
#define T2_QUEUE_DONE_RING	0x08		/* (64) */
#define T2_QUEUE_SIZE		0x10		/* entries, of each ring */
#define T2_QUEUE_CTRL		0x14
#define   T2_QUEUE_ENABLE	(1u << 0)	/* set: numbers start from 0; cleared: all is forgotten */
#define   T2_QUEUE_ABORT	(1u << 1)	/* all commands given so far end with T2_ABORTED */
#define T2_QUEUE_GIVEN		0x18		/* the doorbell: commands that the host has put in */
#define T2_QUEUE_TAKEN		0x1c		/* completions that the host has taken out */
#define T2_QUEUE_FETCHED	0x20		/* (ro) commands that the engine has taken out */
#define T2_QUEUE_STATE		0x24		/* (ro) */
#define   T2_QUEUE_IDLE		0
#define   T2_QUEUE_RUNNING	1
#define   T2_QUEUE_FAULTED	2		/* waits for T2_QUEUE_RESUME */
#define   T2_QUEUE_FULL		3		/* waits for room in its completion ring */
#define   T2_QUEUE_BROKEN	4		/* see T2_ERROR_RING; disable it to start over */
#define T2_QUEUE_RESUME		0x28		/* the seq of the fault that is dealt with: try again */
#define T2_QUEUE_REFUSE		0x2c		/* the same, but the access is not allowed: T2_FAULT */

/* Operations on [dst, dst + length), from [src, src + length). */
enum t2_op {
	T2_OP_NOP = 0,
	T2_OP_FILL = 1,			/* with the 8 bytes of operand, from dst on */
	T2_OP_COPY = 2,			/* ranges must not overlap */
	T2_OP_CHECKSUM = 3,		/* CRC-32C of src, as it is usually given (inverted) */
	T2_OP_COMPARE_SWAP = 4,		/* 8 bytes, aligned: compare becomes operand; result: before */
	T2_OP_ADD = 5,			/* operand to each aligned 8 bytes, atomic; result: first before */
};

/* Flags of a command. */
#define T2_SRC_VIRTUAL		(1u << 0)	/* src is an address of the process `pasid` */
#define T2_DST_VIRTUAL		(1u << 1)
#define T2_SRC_LIST		(1u << 2)	/* src is that of src_count struct t2_segment */
#define T2_DST_LIST		(1u << 3)	/* addresses in a list are of the list's own kind */
#define T2_INTERRUPT		(1u << 4)	/* when it is done */

struct t2_command {
	__u8 op;
	__u8 flags;
	__u16 reserved;
	__u32 pasid;
	__u64 cookie;			/* comes back in completion and fault */
	__u64 dst;
	__u64 src;
	__u64 length;			/* bytes */
	__u64 operand;
	__u64 compare;
	__u32 src_count;
	__u32 dst_count;
};

struct t2_segment {
	__u64 address;
	__u64 length;
};

/* How a command ended. */
enum t2_result {
	T2_OK = 0,
	T2_BAD_COMMAND = 1,		/* no such operation, lengths or lists that do not fit */
	T2_FAULT = 2,			/* a page that is not there, and the host did not bring it */
	T2_NO_BUS_MASTER = 3,
	T2_NO_MEMORY = 4,		/* the physical address leads nowhere, or is read only */
	T2_POISON = 5,
	T2_ABORTED = 6,
	T2_BAD_TABLE = 7,
};

struct t2_completion {
	__u64 cookie;
	__u64 result;
	__u64 bytes;			/* how far it came */
	__u32 status;			/* enum t2_result */
	__u32 seq;
};

struct t2_fault {
	__u64 address;			/* of the page */
	__u64 cookie;
	__u32 pasid;
	__u16 queue;
	__u16 flags;
#define   T2_FAULT_WRITE	(1u << 0)	/* it wanted to write */
	__u32 reserved;
	__u32 seq;
};

struct t2_hot {
	__u64 address;			/* of the unit */
	__u32 pasid;			/* or T2_NO_PASID */
	__u32 count;
	__u32 reserved[3];
	__u32 seq;
};

/*
 * A page table has four levels of 512 entries of 8 bytes, for 48 bits of address.
 * In the PASID table and above the last level an entry is the physical address of
 * the next table; a leaf may stand at the last level (4 KiB) or right above (2 MiB).
 */
#define T2_PTE_PRESENT		(1ull << 0)
#define T2_PTE_WRITE		(1ull << 1)	/* in leaves only */
#define T2_PTE_LEAF		(1ull << 2)	/* above the last level */
#define T2_PTE_ADDRESS		0x000ffffffffff000ull

#endif /* T2ACCEL_H */
