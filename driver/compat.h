/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the supported kernels (6.12 to 7.3) that cxlmem
 * has to know about, and nothing else.
 */
#ifndef CXLMEM_COMPAT_H
#define CXLMEM_COMPAT_H

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
/* Soft-reserved ranges were ordinary iomem resources then. */
static inline int walk_soft_reserve_res(u64 start, u64 end, void *arg,
					int (*func)(struct resource *, void *))
{
	return walk_iomem_res_desc(IORES_DESC_SOFT_RESERVED, IORESOURCE_MEM,
				   start, end, arg, func);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define CXLMEM_NS(name) name
#else
#define CXLMEM_NS(name) #name
#endif

/* The callback got a page before it got a folio. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define CXLMEM_PAGE_FREE(free)					\
	static void free##_compat(struct page *page)		\
	{							\
		free(page);					\
	}
#define CXLMEM_PAGE_FREE_OP(free) .page_free = free##_compat
#else
#define CXLMEM_PAGE_FREE(free)					\
	static void free##_compat(struct folio *folio)		\
	{							\
		free(&folio->page);				\
	}
#define CXLMEM_PAGE_FREE_OP(free) .folio_free = free##_compat
#endif

/*
 * zone_device_page_init() has had one, two and three arguments. Which it has is
 * asked of the compiler, since that has changed between two -rc, too.
 */
static inline void cxlmem_init_page_1(void *init, struct page *page, struct dev_pagemap *pgmap)
{
	void (*call)(struct page *page) = init;

	call(page);
}

static inline void cxlmem_init_page_2(void *init, struct page *page, struct dev_pagemap *pgmap)
{
	void (*call)(struct page *page, unsigned int order) = init;

	call(page, 0);
}

static inline void cxlmem_init_page_3(void *init, struct page *page, struct dev_pagemap *pgmap)
{
	void (*call)(struct page *page, struct dev_pagemap *pgmap, unsigned int order) = init;

	call(page, pgmap, 0);
}

static __always_inline void cxlmem_init_page(struct page *page, struct dev_pagemap *pgmap)
{
	if (__same_type(zone_device_page_init, void (struct page *)))
		cxlmem_init_page_1(zone_device_page_init, page, pgmap);
	else if (__same_type(zone_device_page_init, void (struct page *, unsigned int)))
		cxlmem_init_page_2(zone_device_page_init, page, pgmap);
	else
		cxlmem_init_page_3(zone_device_page_init, page, pgmap);
}

/* Modules could not add dma-heaps before. */
#if IS_ENABLED(CONFIG_DMABUF_HEAPS) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#define CXLMEM_HAS_DMA_HEAPS
#endif

/*
 * The CXL core's API for accelerators' drivers. Two functions that these need are
 * exported, but not declared for them, nor are the types that go with them.
 */
#if IS_REACHABLE(CONFIG_CXL_MEM) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#define CXLMEM_HAS_ACCEL
#include <cxl/cxl.h>

struct pci_dev;

enum cxl_regloc_type {
	CXL_REGLOC_RBI_COMPONENT = 1,
};

struct cxl_dpa_info {
	u64 size;
	struct cxl_dpa_part_info {
		struct range range;
		enum cxl_partition_mode mode;
	} part[CXL_NR_PARTITIONS_MAX];
	int nr_partitions;
};

int cxl_pci_setup_regs(struct pci_dev *pdev, enum cxl_regloc_type type,
		       struct cxl_register_map *map);
int cxl_dpa_setup(struct cxl_dev_state *cxlds, const struct cxl_dpa_info *info);
#endif

/* A page of a file could be written in order to be moved. */
static inline bool cxlmem_writes_to_move(const struct address_space_operations *ops)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	return ops->writepage;
#else
	return false;
#endif
}

/* What is asked for was a migrate type before it had flags of its own. */
#ifdef ACR_FLAGS_NONE
#define CXLMEM_CONTIG ACR_FLAGS_NONE
#else
#define CXLMEM_CONTIG MIGRATE_MOVABLE
#endif

#endif /* CXLMEM_COMPAT_H */
