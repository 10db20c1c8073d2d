/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of cxlmem_pci share. */
#ifndef CXLMEM_PCI_H
#define CXLMEM_PCI_H

#include <linux/cxlmem.h>
#include <linux/cxlmem_hdm.h>
#include <linux/pci.h>

#include "compat.h"

/* A bound function; its driver's data. */
struct cxlmem_function {
	struct cxlmem_hdm hdm;
	struct cxlmem_device *cdev;
};

/* hdm.c */
bool cxlmem_hdm_in_window(struct range range);
bool cxlmem_hdm_device_coherent(const struct cxlmem_hdm *hdm);
bool cxlmem_hdm_gone(const struct cxlmem_hdm *hdm);
int cxlmem_hdm_restore(struct cxlmem_hdm *hdm);
bool cxlmem_hdm_errors(struct cxlmem_hdm *hdm);

/* accel.c */
void cxlmem_accel_attach(const struct cxlmem_hdm *hdm);

/* error.c */
extern const struct pci_error_handlers cxlmem_pci_error_handlers;

#endif /* CXLMEM_PCI_H */
