/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cxlmem: what drivers of cache-coherent devices use to hand their device's
 * memory to cxlmem_core, which then runs it in the mode the owner picks.
 *
 * All functions are exported in the symbol namespace CXLMEM and may sleep.
 */
#ifndef _LINUX_CXLMEM_H
#define _LINUX_CXLMEM_H

#include <linux/range.h>
#include <linux/types.h>
#include <uapi/linux/cxlmem.h>

struct cxlmem_device;
struct cxlmem_memory;
struct device;
struct dma_buf;
struct mm_struct;
struct page;

/**
 * enum cxlmem_source - how a range was found, shown in sysfs
 * @CXLMEM_SOURCE_OTHER: in a way of the registering driver's own
 * @CXLMEM_SOURCE_FIRMWARE: an HDM decoder was committed when the driver came
 * @CXLMEM_SOURCE_DRIVER: the driver committed an HDM decoder itself
 * @CXLMEM_SOURCE_SOFT_RESERVED: the firmware's memory map describes it
 */
enum cxlmem_source {
	CXLMEM_SOURCE_OTHER,
	CXLMEM_SOURCE_FIRMWARE,
	CXLMEM_SOURCE_DRIVER,
	CXLMEM_SOURCE_SOFT_RESERVED,
};

/**
 * struct cxlmem_copy - a page whose contents are to be copied
 * @to: where to
 * @from: where from; one of the two is on the device
 */
struct cxlmem_copy {
	struct page *to;
	struct page *from;
};

/**
 * struct cxlmem_ops - what cxlmem_core asks of a device's driver
 * @quiesce: The device must stop using its memory by physical address: a mode
 *	     is about to be left. An error refuses the transition. Optional.
 * @resume: The transition is over, whether it succeeded or not. Optional.
 * @copy: Copy pages by the device's own engine, in mode "driver". They are
 *	  locked and nobody else has them. Returns when all is copied and the
 *	  CPUs see it; on an error the CPU copies all of them. May be called
 *	  from several threads at once, with locks held that page reclaim needs:
 *	  it must not allocate memory but with GFP_NOIO. Optional.
 */
struct cxlmem_ops {
	int (*quiesce)(void *drvdata);
	void (*resume)(void *drvdata);
	int (*copy)(void *drvdata, const struct cxlmem_copy *pages, unsigned int n);
};

/**
 * struct cxlmem_desc - what cxlmem_register() has to know
 * @memory: the claimed memory; cxlmem_register() takes it over if it succeeds
 * @node: NUMA node for the memory, NUMA_NO_NODE to go by the firmware's tables
 * @serial: the device's serial number, 0 if it has none
 * @ops: the driver's callbacks, may be NULL
 * @drvdata: handed to the callbacks
 */
struct cxlmem_desc {
	struct cxlmem_memory *memory;
	int node;
	u64 serial;
	const struct cxlmem_ops *ops;
	void *drvdata;
};

struct cxlmem_memory *cxlmem_memory_claim(struct device *parent, struct range range,
					  enum cxlmem_source source);
struct cxlmem_memory *cxlmem_memory_claim_free(struct range window, u64 size, u64 align);
int cxlmem_memory_release(struct cxlmem_memory *mem);
struct range cxlmem_memory_range(const struct cxlmem_memory *mem);
enum cxlmem_source cxlmem_memory_source(const struct cxlmem_memory *mem);

struct cxlmem_device *cxlmem_register(struct device *parent, const struct cxlmem_desc *desc);
int cxlmem_unregister(struct cxlmem_device *cdev);
int cxlmem_evacuate(struct cxlmem_device *cdev);
int cxlmem_device_error(struct cxlmem_device *cdev, const char *what);
void cxlmem_device_recovered(struct cxlmem_device *cdev);

int cxlmem_move_in(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move);
int cxlmem_create(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move);
int cxlmem_move_out(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move);
int cxlmem_residency(struct cxlmem_device *cdev, struct mm_struct *mm,
		     struct cxlmem_residency *where, u8 *vector);

struct dma_buf *cxlmem_claim(struct cxlmem_device *cdev, struct cxlmem_buffer *buffer);

#endif /* _LINUX_CXLMEM_H */
