/* SPDX-License-Identifier: GPL-2.0 */
/* What cxlmem_core asks of cxlmem_heap. */
#ifndef CXLMEM_HEAP_H
#define CXLMEM_HEAP_H

#include <linux/cxlmem.h>

typedef struct dma_buf *cxlmem_heap_claim(struct cxlmem_device *cdev, struct cxlmem_buffer *buffer);

int cxlmem_heap_offer(const char *name, struct cxlmem_device *cdev, cxlmem_heap_claim *claim);
void cxlmem_heap_withdraw(const char *name);

#endif /* CXLMEM_HEAP_H */
