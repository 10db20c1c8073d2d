/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the supported kernels (6.12 to 7.2) that cxlmem
 * has to know about, and nothing else.
 */
#ifndef CXLMEM_COMPAT_H
#define CXLMEM_COMPAT_H

#include <linux/ioport.h>
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

#endif /* CXLMEM_COMPAT_H */
