// SPDX-License-Identifier: GPL-2.0
/*
 * Where a CXL function's memory is: its DVSEC and HDM decoder registers, and
 * for a function that no firmware has set up, a place in one of the platform's
 * fixed memory windows. (CXL 3.1: 8.1.3 DVSEC for CXL devices, 8.1.9 register
 * locator, 8.2.4 component registers, 8.2.4.17 RAS, 8.2.4.20 HDM decoders, 9.18.1 CEDT.)
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/cxlmem.h>
#include <linux/cxlmem_hdm.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/memory.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "pci.h"

#define VENDOR_CXL			0x1e98

#define DVSEC_DEVICE			0
#define   DEVICE_CAP			0x0a
#define     DEVICE_CAP_CACHE		BIT(0)
#define     DEVICE_CAP_MEM		BIT(2)
#define   DEVICE_CTRL			0x0c
#define     DEVICE_CTRL_MEM_ENABLE	BIT(2)
#define   DEVICE_RANGE1_SIZE_HIGH	0x18
#define   DEVICE_RANGE1_SIZE_LOW	0x1c
#define     RANGE_INFO_VALID		BIT(0)
#define     RANGE_ACTIVE		BIT(1)
#define     RANGE_MEDIA_TYPE		GENMASK(4, 2)
#define       MEDIA_NON_VOLATILE	1
#define     RANGE_SIZE_LOW		GENMASK(31, 28)

#define DVSEC_REGISTER_LOCATOR		8
#define   LOCATOR_FIRST_BLOCK		0x0c
#define     BLOCK_BAR			GENMASK(2, 0)
#define     BLOCK_ID			GENMASK(15, 8)
#define       BLOCK_ID_COMPONENT	1
#define     BLOCK_OFFSET_LOW		GENMASK(31, 16)

#define CACHE_MEM_OFFSET		0x1000
#define CACHE_MEM_SIZE			0x1000
#define   CAP_ID			GENMASK(15, 0)
#define     CAP_ID_ARRAY		1
#define     CAP_ID_RAS			2
#define     CAP_ID_HDM			5
#define   CAP_ARRAY_SIZE		GENMASK(31, 24)
#define   CAP_POINTER			GENMASK(31, 20)

#define HDM_CAP				0x00
#define   HDM_CAP_COUNT			GENMASK(3, 0)
#define   HDM_CAP_COHERENCY		GENMASK(22, 21)
#define     COHERENCY_DEVICE_ONLY	1
#define     COHERENCY_HOST_ONLY		2
#define HDM_GLOBAL			0x04
#define   HDM_GLOBAL_ENABLE		BIT(1)
#define HDM_BASE_LOW(i)			(0x10 + 0x20 * (i))
#define HDM_BASE_HIGH(i)		(0x14 + 0x20 * (i))
#define HDM_SIZE_LOW(i)			(0x18 + 0x20 * (i))
#define HDM_SIZE_HIGH(i)		(0x1c + 0x20 * (i))
#define HDM_CTRL(i)			(0x20 + 0x20 * (i))
#define   HDM_CTRL_WAYS			GENMASK(7, 4)
#define   HDM_CTRL_LOCK			BIT(8)
#define   HDM_CTRL_COMMIT		BIT(9)
#define   HDM_CTRL_COMMITTED		BIT(10)
#define   HDM_CTRL_ERROR		BIT(11)
#define   HDM_CTRL_HOST_ONLY		BIT(12)
#define HDM_SKIP_LOW(i)			(0x24 + 0x20 * (i))
#define HDM_SKIP_HIGH(i)		(0x28 + 0x20 * (i))
#define HDM_STRUCT_SIZE			0x30

#define RAS_UNCOR_STATUS		0x00
#define RAS_CONTROL			0x14
#define   RAS_FIRST_ERROR		GENMASK(5, 0)
#define RAS_HEADER_LOG			0x18
#define RAS_STRUCT_SIZE			0x58

/* HDM decoders work in multiples of this. */
#define HDM_GRANULE			SZ_256M

/* CFMWS restrictions; ACPICA has renamed its own names for them. */
#define WINDOW_DEVICE_COHERENT		BIT(0)
#define WINDOW_HOST_ONLY		BIT(1)
#define WINDOW_VOLATILE			BIT(2)

static unsigned int decoder_count(u32 cap)
{
	unsigned int n = FIELD_GET(HDM_CAP_COUNT, cap);

	return n ? 2 * n : 1;
}

/* Offset of a capability's structure in mapped CXL.cachemem registers, or 0. */
static u32 find_capability(void __iomem *cache_mem, u16 id, u32 size)
{
	u32 header = readl(cache_mem);
	unsigned int i;

	if (FIELD_GET(CAP_ID, header) != CAP_ID_ARRAY)
		return 0;
	for (i = 1; i <= FIELD_GET(CAP_ARRAY_SIZE, header); i++) {
		u32 entry = readl(cache_mem + 4 * i);
		u32 offset = FIELD_GET(CAP_POINTER, entry);

		if (FIELD_GET(CAP_ID, entry) == id && offset <= CACHE_MEM_SIZE - size)
			return offset;
	}
	return 0;
}

static u32 find_hdm(void __iomem *cache_mem)
{
	return find_capability(cache_mem, CAP_ID_HDM, HDM_STRUCT_SIZE);
}

static void __iomem *map_component_registers(struct pci_dev *pdev)
{
	u16 locator = pci_find_dvsec_capability(pdev, VENDOR_CXL, DVSEC_REGISTER_LOCATOR);
	u32 header, low, high;
	u16 at;

	if (!locator)
		return NULL;
	pci_read_config_dword(pdev, locator + PCI_DVSEC_HEADER1, &header);

	for (at = LOCATOR_FIRST_BLOCK; at + 8 <= PCI_DVSEC_HEADER1_LEN(header); at += 8) {
		u64 offset;
		int bar;

		pci_read_config_dword(pdev, locator + at, &low);
		pci_read_config_dword(pdev, locator + at + 4, &high);
		if (FIELD_GET(BLOCK_ID, low) != BLOCK_ID_COMPONENT)
			continue;
		bar = FIELD_GET(BLOCK_BAR, low);
		offset = ((u64)high << 32 | (low & BLOCK_OFFSET_LOW)) + CACHE_MEM_OFFSET;
		if (bar >= PCI_STD_NUM_BARS || offset < CACHE_MEM_OFFSET ||
		    offset + CACHE_MEM_SIZE > pci_resource_len(pdev, bar))
			return NULL;
		return devm_ioremap(&pdev->dev, pci_resource_start(pdev, bar) + offset,
				    CACHE_MEM_SIZE);
	}
	return NULL;
}

/* Finds and maps the registers; the reason of an error is logged. */
static int map_registers(struct pci_dev *pdev, struct cxlmem_hdm *hdm)
{
	struct device *dev = &pdev->dev;
	void __iomem *cache_mem;
	u32 offset;
	u16 cap;

	hdm->pdev = pdev;
	hdm->dvsec = pci_find_dvsec_capability(pdev, VENDOR_CXL, DVSEC_DEVICE);
	if (!hdm->dvsec)
		return dev_err_probe(dev, -ENODEV, "not a CXL device: it has no CXL DVSEC\n");
	pci_read_config_word(pdev, hdm->dvsec + DEVICE_CAP, &cap);
	if (!(cap & DEVICE_CAP_MEM))
		return dev_err_probe(dev, -ENODEV, "the function has no CXL.mem\n");

	cache_mem = map_component_registers(pdev);
	if (!cache_mem)
		return dev_err_probe(dev, -ENXIO, "no CXL component registers found\n");
	offset = find_hdm(cache_mem);
	if (!offset)
		return dev_err_probe(dev, -ENXIO, "the function has no HDM decoder\n");
	hdm->regs = cache_mem + offset;
	offset = find_capability(cache_mem, CAP_ID_RAS, RAS_STRUCT_SIZE);
	hdm->ras = offset ? cache_mem + offset : NULL;
	return 0;
}

static u64 read_pair(void __iomem *low)
{
	return (u64)readl(low + 4) << 32 | readl(low);
}

/*
 * What an already committed decoder decodes: returns 1 with @range set if decoder 0
 * is committed, 0 if no decoder is, or -EOPNOTSUPP for what cxlmem cannot run, with
 * the reason logged.
 */
static int committed_range(const struct cxlmem_hdm *hdm, struct range *range)
{
	unsigned int n = decoder_count(readl(hdm->regs + HDM_CAP));
	struct device *dev = &hdm->pdev->dev;
	u32 ctrl = readl(hdm->regs + HDM_CTRL(0));
	u64 base, size;

	if (n > 1 && readl(hdm->regs + HDM_CTRL(1)) & HDM_CTRL_COMMITTED)
		return dev_err_probe(dev, -EOPNOTSUPP,
				     "more than one HDM decoder is committed, which cxlmem cannot run\n");
	if (!(ctrl & HDM_CTRL_COMMITTED))
		return 0;
	if (FIELD_GET(HDM_CTRL_WAYS, ctrl))
		return dev_err_probe(dev, -EOPNOTSUPP,
				     "the HDM decoder interleaves with other devices, which cxlmem cannot run\n");

	base = read_pair(hdm->regs + HDM_BASE_LOW(0));
	size = read_pair(hdm->regs + HDM_SIZE_LOW(0));
	if (!size || base + size < base)
		return dev_err_probe(dev, -EOPNOTSUPP,
				     "the committed HDM decoder holds nonsense: base %#llx, size %#llx\n",
				     base, size);
	range->start = base;
	range->end = base + size - 1;
	return 1;
}

/* Bytes of volatile memory the function says it has, or an error number. */
static int read_capacity(const struct cxlmem_hdm *hdm, u64 *size)
{
	struct device *dev = &hdm->pdev->dev;
	u32 low, high;

	pci_read_config_dword(hdm->pdev, hdm->dvsec + DEVICE_RANGE1_SIZE_LOW, &low);
	pci_read_config_dword(hdm->pdev, hdm->dvsec + DEVICE_RANGE1_SIZE_HIGH, &high);
	if (!(low & RANGE_INFO_VALID) || !(low & RANGE_ACTIVE))
		return dev_err_probe(dev, -EAGAIN, "the device's memory is not ready yet; bind it again later\n");
	if (FIELD_GET(RANGE_MEDIA_TYPE, low) == MEDIA_NON_VOLATILE)
		return dev_err_probe(dev, -EOPNOTSUPP, "the device's memory is persistent\n");
	*size = (u64)high << 32 | (low & RANGE_SIZE_LOW);
	if (!*size)
		return dev_err_probe(dev, -ENODEV, "the device says it has no memory\n");
	return 0;
}

/* The bridge decodes by itself only if there is just one way down from it. */
static int check_path(struct pci_dev *pdev)
{
	struct pci_dev *port = pci_upstream_bridge(pdev);
	struct pci_dev *sibling;
	int root_ports = 0;

	if (!port || pci_pcie_type(port) != PCI_EXP_TYPE_ROOT_PORT)
		return dev_err_probe(&pdev->dev, -EOPNOTSUPP,
				     "no decoder is committed, and the device is not right under a root port: let the firmware or the cxl driver set up the path\n");
	list_for_each_entry(sibling, &port->bus->devices, bus_list)
		root_ports += pci_is_pcie(sibling) &&
			      pci_pcie_type(sibling) == PCI_EXP_TYPE_ROOT_PORT;
	if (root_ports > 1)
		return dev_err_probe(&pdev->dev, -EOPNOTSUPP,
				     "no decoder is committed, and the host bridge has %d root ports: let the firmware or the cxl driver set up the path\n",
				     root_ports);
	return 0;
}

typedef int (*cedt_func)(const struct acpi_cedt_header *entry, void *arg);

/*
 * Calls @func for each entry of a type until it returns something else than 0.
 * A table that cannot be read is not one without entries: a bridge's decoders
 * would be overlooked.
 */
static int walk_cedt(u8 type, size_t min_length, cedt_func func, void *arg)
{
	struct acpi_table_header *table;
	acpi_status status;
	void *at, *end;
	int rc = 0;

	status = acpi_get_table(ACPI_SIG_CEDT, 0, &table);
	if (status == AE_NOT_FOUND)
		return 0;
	if (ACPI_FAILURE(status))
		return -ENOMEM;
	end = (void *)table + table->length;
	for (at = (void *)table + sizeof(struct acpi_table_cedt);
	     !rc && end - at >= sizeof(struct acpi_cedt_header);) {
		const struct acpi_cedt_header *entry = at;

		if (entry->length < sizeof(*entry) || entry->length > end - at)
			break;
		if (entry->type == type && entry->length >= min_length)
			rc = func(entry, arg);
		at += entry->length;
	}
	acpi_put_table(table);
	return rc;
}

/* A bridge with HDM decoders passes nothing on that they do not cover. */
static int check_bridge(const struct acpi_cedt_header *entry, void *arg)
{
	const struct acpi_cedt_chbs *chbs = container_of(entry, struct acpi_cedt_chbs, header);
	void __iomem *cache_mem;
	int rc = 0;

	if (chbs->uid != *(u32 *)arg || chbs->cxl_version != ACPI_CEDT_CHBS_VERSION_CXL20 ||
	    chbs->length < CACHE_MEM_OFFSET + CACHE_MEM_SIZE)
		return 0;
	cache_mem = ioremap(chbs->base + CACHE_MEM_OFFSET, CACHE_MEM_SIZE);
	if (!cache_mem)
		return -ENOMEM;
	if (find_hdm(cache_mem))
		rc = -EOPNOTSUPP;
	iounmap(cache_mem);
	return rc;
}

/* What is looked for in the windows, and what was found. */
struct window_search {
	u32 bridge_uid;
	u16 restrictions;
	u64 size;
	int windows;
	struct cxlmem_memory *memory;
};

static int try_window(const struct acpi_cedt_header *entry, void *arg)
{
	const struct acpi_cedt_cfmws *cfmws = container_of(entry, struct acpi_cedt_cfmws, header);
	struct window_search *search = arg;
	struct range window = {
		.start = cfmws->base_hpa,
		.end = cfmws->base_hpa + cfmws->window_size - 1,
	};

	/* Encoded interleave ways 0: one target, our bridge or another. */
	if (cfmws->interleave_ways != 0 || !cfmws->window_size || window.end < window.start ||
	    entry->length < struct_size(cfmws, interleave_targets, 1) ||
	    cfmws->interleave_targets[0] != search->bridge_uid ||
	    (cfmws->restrictions & search->restrictions) != search->restrictions)
		return 0;

	search->windows++;
	search->memory = cxlmem_memory_claim_free(window, search->size,
						  max_t(u64, HDM_GRANULE,
							memory_block_size_bytes()));
	return !IS_ERR(search->memory) || search->memory != ERR_PTR(-ENOSPC);
}

static bool device_coherent(const struct cxlmem_hdm *hdm)
{
	u32 coherency = FIELD_GET(HDM_CAP_COHERENCY, readl(hdm->regs + HDM_CAP));
	u16 cap;

	if (coherency == COHERENCY_DEVICE_ONLY || coherency == COHERENCY_HOST_ONLY)
		return coherency == COHERENCY_DEVICE_ONLY;
	pci_read_config_word(hdm->pdev, hdm->dvsec + DEVICE_CAP, &cap);
	return cap & DEVICE_CAP_CACHE;
}

static struct cxlmem_memory *claim_in_window(struct pci_dev *pdev, u64 size, bool coherent)
{
	struct acpi_device *bridge = ACPI_COMPANION(pci_find_host_bridge(pdev->bus)->bus->bridge);
	struct window_search search = {
		.size = size,
		.restrictions = WINDOW_VOLATILE |
				(coherent ? WINDOW_DEVICE_COHERENT : WINDOW_HOST_ONLY),
		.memory = ERR_PTR(-ENOSPC),
	};
	u64 uid;
	int rc;

	if (!bridge || acpi_dev_uid_to_integer(bridge, &uid) || uid > U32_MAX)
		return dev_err_cast_probe(&pdev->dev, ERR_PTR(-ENODEV),
					  "the host bridge has no ACPI UID to find its fixed memory windows by\n");
	search.bridge_uid = uid;

	rc = walk_cedt(ACPI_CEDT_TYPE_CHBS, sizeof(struct acpi_cedt_chbs), check_bridge,
		       &search.bridge_uid);
	if (rc)
		return dev_err_cast_probe(&pdev->dev, ERR_PTR(rc),
					  "no decoder is committed, and the host bridge has HDM decoders of its own: let the firmware or the cxl driver set up the path\n");

	rc = walk_cedt(ACPI_CEDT_TYPE_CFMWS, sizeof(struct acpi_cedt_cfmws), try_window, &search);
	if (rc < 0)
		return ERR_PTR(rc);
	if (search.memory == ERR_PTR(-ENOSPC))
		dev_err(&pdev->dev, "no free %llu MiB in the fixed memory windows: %d of them lead to host bridge %u and take %s volatile memory\n",
			size >> 20, search.windows, search.bridge_uid,
			coherent ? "device-coherent" : "host-only");
	return search.memory;
}

/* Has decoder 0 decode what @hdm says. */
static int commit(struct cxlmem_hdm *hdm)
{
	u64 size = range_len(&hdm->range);
	u16 device;
	u32 ctrl;

	pci_read_config_word(hdm->pdev, hdm->dvsec + DEVICE_CTRL, &device);
	pci_write_config_word(hdm->pdev, hdm->dvsec + DEVICE_CTRL,
			      device | DEVICE_CTRL_MEM_ENABLE);
	writel(readl(hdm->regs + HDM_GLOBAL) | HDM_GLOBAL_ENABLE, hdm->regs + HDM_GLOBAL);

	writel(lower_32_bits(hdm->range.start), hdm->regs + HDM_BASE_LOW(0));
	writel(upper_32_bits(hdm->range.start), hdm->regs + HDM_BASE_HIGH(0));
	writel(lower_32_bits(size), hdm->regs + HDM_SIZE_LOW(0));
	writel(upper_32_bits(size), hdm->regs + HDM_SIZE_HIGH(0));
	writel(lower_32_bits(hdm->skip), hdm->regs + HDM_SKIP_LOW(0));
	writel(upper_32_bits(hdm->skip), hdm->regs + HDM_SKIP_HIGH(0));
	writel(hdm->ctrl | HDM_CTRL_COMMIT, hdm->regs + HDM_CTRL(0));

	if (readl_poll_timeout(hdm->regs + HDM_CTRL(0), ctrl,
			       ctrl & (HDM_CTRL_COMMITTED | HDM_CTRL_ERROR), 100, 100000) ||
	    ctrl & HDM_CTRL_ERROR) {
		writel(0, hdm->regs + HDM_CTRL(0));
		return dev_err_probe(&hdm->pdev->dev, -EIO,
				     "the device did not commit its HDM decoder for [mem %#llx-%#llx] (control %#x)\n",
				     hdm->range.start, hdm->range.end, ctrl);
	}
	return 0;
}

/* Gives a function that has none a place in memory, which is claimed then. */
static struct cxlmem_memory *find_place(struct cxlmem_hdm *hdm)
{
	bool coherent = device_coherent(hdm);
	struct cxlmem_memory *mem;
	u64 size;
	int rc;

	rc = check_path(hdm->pdev);
	if (!rc)
		rc = read_capacity(hdm, &size);
	if (rc)
		return ERR_PTR(rc);

	mem = claim_in_window(hdm->pdev, size, coherent);
	if (IS_ERR(mem))
		return mem;

	hdm->range = cxlmem_memory_range(mem);
	hdm->skip = 0;
	hdm->ctrl = coherent ? 0 : HDM_CTRL_HOST_ONLY;
	rc = commit(hdm);
	if (rc) {
		cxlmem_memory_release(mem);
		return ERR_PTR(rc);
	}
	return mem;
}

static int covers(const struct acpi_cedt_header *entry, void *arg)
{
	const struct acpi_cedt_cfmws *cfmws = container_of(entry, struct acpi_cedt_cfmws, header);
	const struct range *range = arg;

	return range->start >= cfmws->base_hpa &&
	       range->end - cfmws->base_hpa < cfmws->window_size;
}

/* Whether one of the platform's fixed memory windows covers a range. */
bool cxlmem_hdm_in_window(struct range range)
{
	return walk_cedt(ACPI_CEDT_TYPE_CFMWS, sizeof(struct acpi_cedt_cfmws), covers, &range) > 0;
}

bool cxlmem_hdm_device_coherent(const struct cxlmem_hdm *hdm)
{
	return !(hdm->ctrl & HDM_CTRL_HOST_ONLY);
}

/* What was committed already, as it is to be again after a reset. */
static struct cxlmem_memory *claim_committed(struct cxlmem_hdm *hdm, struct range range)
{
	hdm->range = range;
	hdm->skip = read_pair(hdm->regs + HDM_SKIP_LOW(0));
	hdm->ctrl = readl(hdm->regs + HDM_CTRL(0)) & (HDM_CTRL_HOST_ONLY | HDM_CTRL_LOCK);
	return cxlmem_memory_claim(&hdm->pdev->dev, range, CXLMEM_SOURCE_FIRMWARE);
}

/**
 * cxlmem_hdm_claim() - find the memory of a CXL function, and claim it
 * @pdev: the function, enabled; its driver is being probed
 * @hdm: filled in
 *
 * That is what its HDM decoder decodes. If no firmware has committed it, a place is
 * found in the platform's fixed memory windows, on a simple path only: a host bridge
 * with one root port, no switch. If it has, the kernel's CXL core is told of an
 * accelerator, as far as it can take it.
 *
 * Return: the memory, to be given to cxlmem_register(), or an ERR_PTR() with the
 * reason logged. Once it is released cxlmem_hdm_uncommit() is called.
 */
struct cxlmem_memory *cxlmem_hdm_claim(struct pci_dev *pdev, struct cxlmem_hdm *hdm)
{
	struct cxlmem_memory *mem;
	struct range range;
	int rc;

	rc = map_registers(pdev, hdm);
	if (rc)
		return ERR_PTR(rc);
	rc = committed_range(hdm, &range);
	if (rc < 0)
		return ERR_PTR(rc);
	mem = rc ? claim_committed(hdm, range) : find_place(hdm);
	if (IS_ERR(mem))
		return mem;
	/* Or by an earlier probe, whose memory was just adopted. */
	hdm->committed_here = cxlmem_memory_source(mem) == CXLMEM_SOURCE_DRIVER;
	if (!hdm->committed_here)
		cxlmem_accel_attach(hdm);
	return mem;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_hdm_claim, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_hdm_uncommit() - undo what cxlmem_hdm_claim() did to the decoder
 * @hdm: what it filled in; the memory is released already
 *
 * Does nothing if the firmware committed the decoder.
 */
void cxlmem_hdm_uncommit(struct cxlmem_hdm *hdm)
{
	if (hdm->committed_here)
		writel(0, hdm->regs + HDM_CTRL(0));
	hdm->committed_here = false;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_hdm_uncommit, CXLMEM_NS(CXLMEM));

/* A function that is not there, or whose link is down, reads as ones. */
bool cxlmem_hdm_gone(const struct cxlmem_hdm *hdm)
{
	return readl(hdm->regs + HDM_CTRL(0)) == ~0u;
}

/*
 * Has a function decode its memory again after a reset: one of the function leaves the
 * decoder alone, one of the bus does not. The reason of an error is logged.
 */
int cxlmem_hdm_restore(struct cxlmem_hdm *hdm)
{
	struct device *dev = &hdm->pdev->dev;
	struct range range;
	int rc;

	if (cxlmem_hdm_gone(hdm))
		return dev_err_probe(dev, -ENODEV, "the function does not answer\n");
	rc = committed_range(hdm, &range);
	if (rc < 0)
		return rc;
	if (rc && range.start == hdm->range.start && range.end == hdm->range.end)
		return 0;
	if (rc)
		return dev_err_probe(dev, -EBUSY, "the HDM decoder decodes something else now\n");
	dev_warn(dev, "the HDM decoder was reset, and is committed again for [mem %#llx-%#llx]\n",
		 hdm->range.start, hdm->range.end);
	return commit(hdm);
}

static const char *error_name(unsigned int bit)
{
	static const char * const names[] = {
		"cache data parity", "cache address parity", "cache byte enable parity",
		"cache data ECC", "memory data parity", "memory address parity",
		"memory byte enable parity", "memory data ECC", "link reinitialization threshold",
		"unrecognized encoding", "poison from the peer", "receiver overflow",
		[14] = "internal", "IDE transmit", "IDE receive",
	};

	return bit < ARRAY_SIZE(names) && names[bit] ? names[bit] : "unknown";
}

/* Logs and clears the uncorrectable errors of CXL.cachemem; false if there are none. */
bool cxlmem_hdm_errors(struct cxlmem_hdm *hdm)
{
	u32 status, first;

	if (!hdm->ras)
		return false;
	status = readl(hdm->ras + RAS_UNCOR_STATUS);
	if (!status || status == ~0u)
		return false;
	first = FIELD_GET(RAS_FIRST_ERROR, readl(hdm->ras + RAS_CONTROL));
	dev_err(&hdm->pdev->dev, "CXL.cachemem has uncorrectable errors %#x, the first is: %s, header %#x %#x %#x %#x\n",
		status, error_name(first), readl(hdm->ras + RAS_HEADER_LOG),
		readl(hdm->ras + RAS_HEADER_LOG + 4), readl(hdm->ras + RAS_HEADER_LOG + 8),
		readl(hdm->ras + RAS_HEADER_LOG + 12));
	writel(status, hdm->ras + RAS_UNCOR_STATUS);
	return true;
}
