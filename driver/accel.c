// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's CXL core and the accelerators that cxlmem has: on kernels that have an API
 * for their drivers, the core gets to know a function, its decoder and the region that
 * the decoder makes, and `cxl list` shows them.
 *
 * cxlmem needs nothing of that. It has found and claimed the memory by then, and a
 * function that the core cannot take is run without it. The core leaves the region's
 * memory to who attaches it, and its decoders alone. All ends with the driver's devres,
 * after remove(); when the core loses the way to the function first, it unbinds us.
 */
#include <linux/module.h>

#include "pci.h"

#ifdef CXLMEM_HAS_ACCEL

static bool cxl_core = true;
module_param(cxl_core, bool, 0644);
MODULE_PARM_DESC(cxl_core, "let the kernel's CXL core know of accelerators that are bound from now on (default: on; it lets the machine not suspend while it knows one)");

/* The state comes first: the core allocates it. */
struct accel {
	struct cxl_dev_state cxlds;
};

static int attach(const struct cxlmem_hdm *hdm)
{
	u64 size = hdm->skip + range_len(&hdm->range);
	const struct cxl_dpa_info info = {
		.size = size,
		.part[0] = { { 0, size - 1 }, CXL_PARTMODE_RAM },
		.nr_partitions = 1,
	};
	struct pci_dev *pdev = hdm->pdev;
	struct cxl_memdev *memdev;
	struct accel *accel;
	struct range range;
	int rc;

	accel = devm_cxl_dev_state_create(&pdev->dev, CXL_DEVTYPE_DEVMEM, pci_get_dsn(pdev),
					  hdm->dvsec, struct accel, cxlds, false);
	if (!accel)
		return -ENOMEM;
	rc = cxl_pci_setup_regs(pdev, CXL_REGLOC_RBI_COMPONENT, &accel->cxlds.reg_map);
	if (rc)
		return rc;
	accel->cxlds.media_ready = true;
	rc = cxl_dpa_setup(&accel->cxlds, &info);
	if (rc)
		return rc;
	memdev = devm_cxl_probe_mem(&accel->cxlds, &range);
	if (IS_ERR(memdev))
		return PTR_ERR(memdev);
	return range.start == hdm->range.start && range.end == hdm->range.end ? 0 : -ERANGE;
}

/* Tells the CXL core of a function whose memory is claimed; if it cannot be, so be it. */
void cxlmem_accel_attach(const struct cxlmem_hdm *hdm)
{
	struct device *dev = &hdm->pdev->dev;
	void *group;
	int rc;

	/* A memory expander is none: for these the core has a driver of its own. */
	if (hdm->pdev->class >> 8 == PCI_CLASS_MEMORY_CXL || !cxlmem_hdm_device_coherent(hdm))
		return;
	if (!cxl_core) {
		dev_info(dev, "not made known to the kernel's CXL core, by the parameter cxl_core\n");
		return;
	}
	if (!cxlmem_hdm_in_window(hdm->range)) {
		dev_info(dev, "not made known to the kernel's CXL core: its memory is in none of the platform's fixed memory windows\n");
		return;
	}

	group = devres_open_group(dev, NULL, GFP_KERNEL);
	rc = group ? attach(hdm) : -ENOMEM;
	if (!rc) {
		devres_close_group(dev, group);
		dev_info(dev, "known to the kernel's CXL core, see cxl list\n");
		return;
	}
	if (group)
		devres_release_group(dev, group);
	dev_warn(dev, "not known to the kernel's CXL core, which cannot take it (%pe); are cxl_acpi and cxl_port loaded, and the host bridge's decoders committed?\n",
		 ERR_PTR(rc));
}

MODULE_IMPORT_NS(CXLMEM_NS(CXL));

#else

void cxlmem_accel_attach(const struct cxlmem_hdm *hdm)
{
}

#endif
