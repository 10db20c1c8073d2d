// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem_pci: a CXL function whose memory cxlmem is to run. It claims no
 * function by itself: the owner picks it through driver_override.
 */
#include <linux/module.h>
#include <linux/numa.h>

#include "pci.h"

static int cxlmem_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct cxlmem_desc desc = { .node = NUMA_NO_NODE };
	struct cxlmem_function *function;
	int rc;

	function = devm_kzalloc(&pdev->dev, sizeof(*function), GFP_KERNEL);
	if (!function)
		return -ENOMEM;
	rc = pcim_enable_device(pdev);
	if (rc)
		return rc;
	desc.memory = cxlmem_hdm_claim(pdev, &function->hdm);
	if (IS_ERR(desc.memory))
		return PTR_ERR(desc.memory);

	desc.serial = pci_get_dsn(pdev);
	function->cdev = cxlmem_register(&pdev->dev, &desc);
	if (IS_ERR(function->cdev)) {
		if (!cxlmem_memory_release(desc.memory))
			cxlmem_hdm_uncommit(&function->hdm);
		return PTR_ERR(function->cdev);
	}
	pci_set_drvdata(pdev, function);
	pci_save_state(pdev);
	return 0;
}

/* Memory that could not be moved must go on being decoded. */
static void cxlmem_pci_remove(struct pci_dev *pdev)
{
	struct cxlmem_function *function = pci_get_drvdata(pdev);

	if (cxlmem_hdm_gone(&function->hdm))
		dev_err(&pdev->dev, "the card is gone without notice; what was in its memory may be lost\n");
	if (!cxlmem_unregister(function->cdev))
		cxlmem_hdm_uncommit(&function->hdm);
}

static const struct pci_device_id cxlmem_pci_ids[] = {
	{ PCI_DEVICE_DRIVER_OVERRIDE(PCI_ANY_ID, PCI_ANY_ID, PCI_ID_F_VFIO_DRIVER_OVERRIDE) },
	{ }
};

static struct pci_driver cxlmem_pci_driver = {
	.name = "cxlmem_pci",
	.id_table = cxlmem_pci_ids,
	.probe = cxlmem_pci_probe,
	.remove = cxlmem_pci_remove,
	.err_handler = &cxlmem_pci_error_handlers,
};
module_pci_driver(cxlmem_pci_driver);

MODULE_DESCRIPTION("CXL functions for cxlmem");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(CXLMEM_NS(CXLMEM));
