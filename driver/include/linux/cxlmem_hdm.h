/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cxlmem_hdm: where a CXL function's memory is. For drivers of such functions, from
 * the module cxlmem_pci, in the symbol namespace CXLMEM.
 */
#ifndef _LINUX_CXLMEM_HDM_H
#define _LINUX_CXLMEM_HDM_H

#include <linux/types.h>

struct cxlmem_memory;
struct pci_dev;

/**
 * struct cxlmem_hdm - the HDM decoder registers of a CXL function
 * @pdev: the function
 * @dvsec: offset of its CXL device DVSEC in configuration space
 * @regs: its HDM decoder capability structure
 * @committed_here: decoder 0 was committed by cxlmem, now or at an earlier probe
 */
struct cxlmem_hdm {
	struct pci_dev *pdev;
	u16 dvsec;
	void __iomem *regs;
	bool committed_here;
};

struct cxlmem_memory *cxlmem_hdm_claim(struct pci_dev *pdev, struct cxlmem_hdm *hdm);
void cxlmem_hdm_uncommit(struct cxlmem_hdm *hdm);

#endif /* _LINUX_CXLMEM_HDM_H */
