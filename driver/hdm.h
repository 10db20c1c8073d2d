/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CXLMEM_HDM_H
#define CXLMEM_HDM_H

#include <linux/range.h>
#include <linux/types.h>

struct cxlmem_memory;
struct pci_dev;

/**
 * struct cxlmem_hdm - the HDM decoder registers of a CXL function
 * @pdev: the function
 * @dvsec: offset of its CXL device DVSEC in configuration space
 * @regs: its HDM decoder capability structure
 * @committed_here: decoder 0 was committed by cxlmem_hdm_commit(), now or
 *		    at an earlier probe
 */
struct cxlmem_hdm {
	struct pci_dev *pdev;
	u16 dvsec;
	void __iomem *regs;
	bool committed_here;
};

int cxlmem_hdm_map(struct pci_dev *pdev, struct cxlmem_hdm *hdm);
int cxlmem_hdm_committed_range(const struct cxlmem_hdm *hdm, struct range *range);
struct cxlmem_memory *cxlmem_hdm_commit(struct cxlmem_hdm *hdm);
void cxlmem_hdm_uncommit(struct cxlmem_hdm *hdm);

#endif /* CXLMEM_HDM_H */
