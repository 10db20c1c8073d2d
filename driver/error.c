// SPDX-License-Identifier: GPL-2.0
/*
 * What PCIe reports about a function: errors (AER, DPC), and resets. The link that failed
 * carries CXL.mem as well, so the memory is evacuated unless it is clear that it did not
 * suffer. The first two functions are for vendors' drivers as well.
 */
#include <linux/export.h>

#include "pci.h"

/**
 * cxlmem_hdm_error_detected() - what to do about an error, and do it
 * @hdm: what cxlmem_hdm_claim() filled in
 * @cdev: the function's memory
 * @state: what PCIe says
 *
 * The core of a driver's handler of that name. Evacuates the memory, unless the error
 * was not fatal and CXL.mem has none. A reset takes the memory away for a moment, and
 * maybe what is in it: it is asked for only if nothing is in use any more; after a fatal
 * error it comes in any case. The driver has to call cxlmem_device_recovered() when it
 * is told to resume.
 *
 * Return: what the handler is to return. If that is PCI_ERS_RESULT_CAN_RECOVER the
 * function is not reset.
 */
pci_ers_result_t cxlmem_hdm_error_detected(struct cxlmem_hdm *hdm, struct cxlmem_device *cdev,
					   pci_channel_state_t state)
{
	bool damaged = cxlmem_hdm_errors(hdm);

	switch (state) {
	case pci_channel_io_normal:
		if (!damaged) {
			pci_warn(hdm->pdev, "a non-fatal PCIe error, but none of CXL.mem: the memory stays in use\n");
			return PCI_ERS_RESULT_CAN_RECOVER;
		}
		if (cxlmem_device_error(cdev, "nonfatal PCIe error and damaged memory"))
			return PCI_ERS_RESULT_CAN_RECOVER;
		return PCI_ERS_RESULT_NEED_RESET;
	case pci_channel_io_frozen:
		cxlmem_device_error(cdev, "fatal PCIe error");
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		cxlmem_device_error(cdev, "permanent PCIe failure");
		return PCI_ERS_RESULT_DISCONNECT;
	}
}
EXPORT_SYMBOL_NS_GPL(cxlmem_hdm_error_detected, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_hdm_slot_reset() - bring a function back after a reset
 * @hdm: what cxlmem_hdm_claim() filled in
 *
 * The core of a driver's handler of that name. Puts back configuration space as it was
 * at the last pci_save_state(), and has the function decode its memory again.
 *
 * Return: what the handler is to return.
 */
pci_ers_result_t cxlmem_hdm_slot_reset(struct cxlmem_hdm *hdm)
{
	pci_restore_state(hdm->pdev);
	pci_save_state(hdm->pdev);
	return cxlmem_hdm_restore(hdm) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_hdm_slot_reset, CXLMEM_NS(CXLMEM));

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct cxlmem_function *function = pci_get_drvdata(pdev);

	return cxlmem_hdm_error_detected(&function->hdm, function->cdev, state);
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct cxlmem_function *function = pci_get_drvdata(pdev);

	return cxlmem_hdm_slot_reset(&function->hdm);
}

static void resume(struct pci_dev *pdev)
{
	struct cxlmem_function *function = pci_get_drvdata(pdev);

	cxlmem_device_recovered(function->cdev);
}

/* Somebody has reset the function, by its file in sysfs, say. */
static void reset_done(struct pci_dev *pdev)
{
	struct cxlmem_function *function = pci_get_drvdata(pdev);

	if (cxlmem_hdm_restore(&function->hdm))
		cxlmem_device_error(function->cdev, "a reset has ended the decoding of the memory");
}

const struct pci_error_handlers cxlmem_pci_error_handlers = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_done = reset_done,
};
