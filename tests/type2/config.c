// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space: a PCI Express endpoint with the DVSECs of a CXL Type-2
 * device. (PCIe 6.0: 7.5 the basics, 7.8.4 AER, 6.6.2 function level reset.
 * CXL 3.1: 8.1.3 DVSEC for devices, 8.1.8 Flex Bus port, 8.1.9 register locator,
 * 9.7 CXL reset.)
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "model.h"

/* Where the capabilities are. The first two have a fixed place by PCI's rules. */
#define PCIE		0x40
#define MSIX		0x80
#define SERIAL		0x100
#define AER		0x110
#define DVSEC_DEVICE	0x160
#define DVSEC_PORT	0x1a0
#define DVSEC_LOCATOR	0x1c0
#define DOE		0x1e0
#define DOE_SIZE	0x18

#define VENDOR_CXL	0x1e98
#define RANGE1_SIZE_HIGH 0x18
#define RANGE1_SIZE_LOW	0x1c
#define RANGE1_BASE_HIGH 0x20
#define RANGE1_BASE_LOW	0x24
#define CAPABILITY	0x0a
#define   CACHE		(1u << 0)	/* also in CONTROL, and in the port's registers */
#define   IO		(1u << 1)
#define   MEM		(1u << 2)
#define   ONE_RANGE	(1u << 4)
#define   CACHE_WB	(1u << 6)	/* the host can have the cache emptied */
#define   RESET		(1u << 7)
#define CONTROL		0x0c
#define CONTROL2	0x10
#define   INITIATE_WB	(1u << 1)
#define   INITIATE_RESET (1u << 2)
#define STATUS2		0x12
#define   CACHE_INVALID	(1u << 0)
#define   RESET_DONE	(1u << 1)
#define LOCK		0x14

#define ID_DOE		0x2e

#define UNCORRECTABLE	0x0477f030u	/* AER's bits that an endpoint can have */
#define CORRECTABLE	0x0000f1c1u

void config_set(uint8_t *at, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = value >> 8 * i;
}

uint32_t config_get(const uint8_t *at, unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint32_t)at[i] << 8 * i;
	return value;
}

/* A register's value, and which of its bits the host can write. */
static void put(struct config *c, unsigned int at, unsigned int bytes, uint32_t value,
		uint32_t writable)
{
	config_set(c->data + at, value, bytes);
	config_set(c->writable + at, writable, bytes);
}

static void clearable(struct config *c, unsigned int at, unsigned int bytes, uint32_t mask)
{
	config_set(c->clearable + at, mask, bytes);
}

static void extended(struct config *c, unsigned int at, uint32_t id, uint32_t version,
		     unsigned int next)
{
	put(c, at, 4, id | version << 16 | next << 20, 0);
}

static void dvsec(struct config *c, unsigned int at, uint32_t id, uint32_t revision, uint32_t size,
		  unsigned int next)
{
	extended(c, at, PCI_EXT_CAP_ID_DVSEC, 1, next);
	put(c, at + PCI_DVSEC_HEADER1, 4, VENDOR_CXL | revision << 16 | size << 20, 0);
	put(c, at + PCI_DVSEC_HEADER2, 2, id, 0);
}

static void reset_header(struct config *c)
{
	put(c, PCI_VENDOR_ID, 2, T2_PCI_VENDOR, 0);
	put(c, PCI_DEVICE_ID, 2, T2_PCI_DEVICE, 0);
	put(c, PCI_COMMAND, 2, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
	    PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	put(c, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	clearable(c, PCI_STATUS, 2, 0xf900);
	put(c, PCI_CLASS_REVISION, 4, T2_PCI_CLASS << 8 | 1, 0);
	put(c, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	for (unsigned int bar = 0; bar <= 2; bar += 2) {
		put(c, PCI_BASE_ADDRESS_0 + 4 * bar, 4, PCI_BASE_ADDRESS_MEM_TYPE_64,
		    ~(T2_BAR_SIZE - 1u));
		put(c, PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4, 0, ~0u);
	}
	put(c, PCI_SUBSYSTEM_VENDOR_ID, 2, T2_PCI_VENDOR, 0);
	put(c, PCI_SUBSYSTEM_ID, 2, T2_PCI_DEVICE, 0);
	put(c, PCI_CAPABILITY_LIST, 1, PCIE, 0);
	put(c, PCI_INTERRUPT_LINE, 1, 0, 0xff);
}

static void reset_pcie(struct config *c)
{
	put(c, PCIE, 2, PCI_CAP_ID_EXP | MSIX << 8, 0);
	put(c, PCIE + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	put(c, PCIE + PCI_EXP_DEVCAP, 4,
	    PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_EXT_TAG | 1 /* 256 bytes */, 0);
	/* Errors are reported from the start, as firmware would set it up. */
	put(c, PCIE + PCI_EXP_DEVCTL, 2, 0x2810 | 0xf, 0xffff);
	clearable(c, PCIE + PCI_EXP_DEVSTA, 2, 0xf);
	put(c, PCIE + PCI_EXP_LNKCAP, 4, PCI_EXP_LNKCAP_SLS_32_0GB | 16 << 4, 0);
	put(c, PCIE + PCI_EXP_LNKCTL, 2, 0, 0x03ff);
	put(c, PCIE + PCI_EXP_LNKSTA, 2, PCI_EXP_LNKSTA_CLS_32_0GB | 16 << 4, 0);
	put(c, PCIE + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS, 0);
	put(c, PCIE + PCI_EXP_DEVCTL2, 2, 0, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
	put(c, PCIE + PCI_EXP_LNKCAP2, 4, 0x3e /* 2.5 to 32 GT/s */, 0);
	put(c, PCIE + PCI_EXP_LNKCTL2, 2, PCI_EXP_LNKCTL2_TLS_32_0GT, PCI_EXP_LNKCTL2_TLS);

	put(c, MSIX, 2, PCI_CAP_ID_MSIX, 0);
	put(c, MSIX + PCI_MSIX_FLAGS, 2, T2_VECTORS - 1,
	    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put(c, MSIX + PCI_MSIX_TABLE, 4, T2_MSIX_TABLE | T2_BAR_REGS, 0);
	put(c, MSIX + PCI_MSIX_PBA, 4, T2_MSIX_PBA | T2_BAR_REGS, 0);
}

static void reset_aer(struct config *c)
{
	extended(c, AER, PCI_EXT_CAP_ID_ERR, 2, DVSEC_DEVICE);
	clearable(c, AER + PCI_ERR_UNCOR_STATUS, 4, UNCORRECTABLE);
	put(c, AER + PCI_ERR_UNCOR_MASK, 4, 0, UNCORRECTABLE);
	put(c, AER + PCI_ERR_UNCOR_SEVER, 4, 0x00462030, UNCORRECTABLE);
	clearable(c, AER + PCI_ERR_COR_STATUS, 4, CORRECTABLE);
	put(c, AER + PCI_ERR_COR_MASK, 4, PCI_ERR_COR_ADV_NFAT, CORRECTABLE);
}

static void reset_cxl(struct t2 *t)
{
	uint32_t protocols = CACHE | IO | MEM;
	struct config *c = &t->config;

	dvsec(c, DVSEC_DEVICE, 0, 3, 0x3c, DVSEC_PORT);
	put(c, DVSEC_DEVICE + CAPABILITY, 2, protocols | ONE_RANGE | CACHE_WB | RESET, 0);
	put(c, DVSEC_DEVICE + CONTROL, 2, t->committed ? protocols : CACHE | IO, CACHE | MEM);
	put(c, DVSEC_DEVICE + CONTROL2, 2, 0, 1 | INITIATE_WB | INITIATE_RESET);
	put(c, DVSEC_DEVICE + LOCK, 2, 0, 1);
	put(c, DVSEC_DEVICE + RANGE1_SIZE_HIGH, 4, t->hdm_size >> 32, 0);
	/* Volatile memory, valid and active. */
	put(c, DVSEC_DEVICE + RANGE1_SIZE_LOW, 4, (uint32_t)t->hdm_size | 1 << 1 | 1 << 0, 0);
	put(c, DVSEC_DEVICE + RANGE1_BASE_HIGH, 4, t->committed ? t->hdm_base >> 32 : 0, ~0u);
	put(c, DVSEC_DEVICE + RANGE1_BASE_LOW, 4, t->committed ? (uint32_t)t->hdm_base : 0,
	    0xf0000000);

	/* What the link has negotiated: by its status Linux knows a CXL function. */
	dvsec(c, DVSEC_PORT, 7, 1, 0x14, DVSEC_LOCATOR);
	put(c, DVSEC_PORT + 0x0a, 2, protocols, 0);
	put(c, DVSEC_PORT + 0x0c, 2, protocols, 0);
	put(c, DVSEC_PORT + 0x0e, 2, protocols, 0);

	/* One block: component registers, at the start of their BAR. */
	dvsec(c, DVSEC_LOCATOR, 8, 0, 0x14, DOE);
	put(c, DVSEC_LOCATOR + 0x0c, 4, T2_BAR_COMPONENT | 1 << 8, 0);

	extended(c, DOE, ID_DOE, 1, 0);
}

void config_reset(struct t2 *t)
{
	struct config *c = &t->config;

	memset(c, 0, sizeof(*c));
	reset_header(c);
	reset_pcie(c);
	extended(c, SERIAL, PCI_EXT_CAP_ID_DSN, 1, AER);
	put(c, SERIAL + 4, 4, t->serial, 0);
	put(c, SERIAL + 8, 4, t->serial >> 32, 0);
	reset_aer(c);
	reset_cxl(t);
	doe_reset(t);
}

/* It leaves alone what CXL has of the function (memory, decoders, link), and sticky errors. */
static void function_level_reset(struct t2 *t)
{
	uint8_t kept[DOE - AER];

	memcpy(kept, t->config.data + AER, sizeof(kept));
	config_reset(t);
	memcpy(t->config.data + AER, kept, sizeof(kept));
	engine_reset(t);
}

/* What a write has asked for beside its value. */
static void act(struct t2 *t)
{
	uint8_t *control2 = t->config.data + DVSEC_DEVICE + CONTROL2;
	uint8_t *status2 = t->config.data + DVSEC_DEVICE + STATUS2;

	if (config_get(t->config.data + PCIE + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR)
		function_level_reset(t);
	/* Our cache is coherent and holds nothing back, so it is emptied at once. */
	if (config_get(control2, 2) & INITIATE_WB)
		config_set(status2, config_get(status2, 2) | CACHE_INVALID, 2);
	if (config_get(control2, 2) & INITIATE_RESET) {
		engine_reset(t);
		component_reset(t);
		config_set(status2, config_get(status2, 2) | RESET_DONE, 2);
	}
	config_set(control2, config_get(control2, 2) & ~(INITIATE_WB | INITIATE_RESET), 2);

	if (t->config.data[DVSEC_DEVICE + LOCK] & 1) {
		memset(t->config.writable + DVSEC_DEVICE + CONTROL, 0, 2);
		memset(t->config.writable + DVSEC_DEVICE + LOCK, 0, 2);
		memset(t->config.writable + DVSEC_DEVICE + RANGE1_BASE_HIGH, 0, 8);
	}
}

static bool is_doe(uint32_t offset)
{
	return offset >= DOE + 4 && offset < DOE + DOE_SIZE;
}

void config_read(struct t2 *t, uint32_t offset, uint8_t *data, uint32_t count)
{
	if (is_doe(offset) && offset % 4 == 0 && count == 4) {
		config_set(data, doe_read(t, offset - DOE), 4);
		return;
	}
	memcpy(data, t->config.data + offset, count);
}

void config_write(struct t2 *t, uint32_t offset, const uint8_t *data, uint32_t count)
{
	struct config *c = &t->config;

	if (is_doe(offset)) {
		if (offset % 4 == 0 && count == 4)
			doe_write(t, offset - DOE, config_get(data, 4));
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *byte = &c->data[offset + i], mask = c->writable[offset + i];

		*byte = (*byte & ~mask) | (data[i] & mask);
		*byte &= ~(data[i] & c->clearable[offset + i]);
	}
	act(t);
}

bool config_bus_master(const struct t2 *t)
{
	return t->config.data[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

bool config_msix_enabled(const struct t2 *t)
{
	return config_get(t->config.data + MSIX + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE;
}

/* As CXL errors are reported: as internal errors of the function. */
void config_error(struct t2 *t, bool correctable, bool fatal)
{
	uint8_t *aer = t->config.data + AER;
	uint8_t *status = aer + (correctable ? PCI_ERR_COR_STATUS : PCI_ERR_UNCOR_STATUS);
	uint8_t *severity = aer + PCI_ERR_UNCOR_SEVER;
	uint8_t *device = t->config.data + PCIE + PCI_EXP_DEVSTA;

	config_set(status, config_get(status, 4) |
		   (correctable ? PCI_ERR_COR_INTERNAL : PCI_ERR_UNC_INTN), 4);
	if (!correctable && fatal)
		config_set(severity, config_get(severity, 4) | PCI_ERR_UNC_INTN, 4);
	if (!correctable && !fatal)
		config_set(severity, config_get(severity, 4) & ~PCI_ERR_UNC_INTN, 4);
	*device |= correctable ? PCI_EXP_DEVSTA_CED : fatal ? PCI_EXP_DEVSTA_FED : PCI_EXP_DEVSTA_NFED;
}
