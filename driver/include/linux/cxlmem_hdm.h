/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cxlmem_hdm: where a CXL function's memory is. For drivers of such functions, from
 * the module cxlmem_pci, in the symbol namespace CXLMEM.
 */
#ifndef _LINUX_CXLMEM_HDM_H
#define _LINUX_CXLMEM_HDM_H

#include <linux/pci.h>
#include <linux/range.h>
#include <linux/types.h>

struct cxlmem_device;
struct cxlmem_memory;

/**
 * struct cxlmem_hdm - the HDM decoder registers of a CXL function
 * @pdev: the function
 * @dvsec: offset of its CXL device DVSEC in configuration space
 * @regs: its HDM decoder capability structure
 * @ras: its RAS capability structure, NULL if it has none
 * @range: what decoder 0 decodes
 * @skip: what of the device's own memory it skips
 * @ctrl: settings of its control register
 * @committed_here: decoder 0 was committed by cxlmem, now or at an earlier probe
 */
struct cxlmem_hdm {
	struct pci_dev *pdev;
	u16 dvsec;
	void __iomem *regs;
	void __iomem *ras;
	struct range range;
	u64 skip;
	u32 ctrl;
	bool committed_here;
};

struct cxlmem_memory *cxlmem_hdm_claim(struct pci_dev *pdev, struct cxlmem_hdm *hdm);
void cxlmem_hdm_uncommit(struct cxlmem_hdm *hdm);

pci_ers_result_t cxlmem_hdm_error_detected(struct cxlmem_hdm *hdm, struct cxlmem_device *cdev,
					   pci_channel_state_t state);
pci_ers_result_t cxlmem_hdm_slot_reset(struct cxlmem_hdm *hdm);

#endif /* _LINUX_CXLMEM_HDM_H */
