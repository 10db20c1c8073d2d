// SPDX-License-Identifier: GPL-2.0
/*
 * The mode state machine. Every mode is entered from "offline" and left to
 * "offline", so that n modes need n pairs of functions and not n squared.
 */
#include <linux/kobject.h>
#include <linux/string.h>

#include "internal.h"
#include "trace.h"

/* Claimed, and used by nobody: nothing to set up, nothing to take down. */
const struct cxlmem_mode cxlmem_mode_offline = {
	.name = "offline",
};

const struct cxlmem_mode * const cxlmem_modes[] = {
	&cxlmem_mode_offline,
	&cxlmem_mode_system,
	&cxlmem_mode_driver,
	&cxlmem_mode_cma,
};

const int cxlmem_nr_modes = ARRAY_SIZE(cxlmem_modes);

static void announce(struct cxlmem_device *cdev, const struct cxlmem_mode *from, u64 evacuated)
{
	char mode[24], prev_mode[32], moved[40];
	char *env[] = { mode, prev_mode, moved, NULL };

	snprintf(mode, sizeof(mode), "MODE=%s", cdev->mem->mode->name);
	snprintf(prev_mode, sizeof(prev_mode), "PREV_MODE=%s", from->name);
	snprintf(moved, sizeof(moved), "EVACUATED=%llu", evacuated);
	kobject_uevent_env(&cdev->dev.kobj, KOBJ_CHANGE, env);
	sysfs_notify(&cdev->dev.kobj, NULL, "mode");
}

static int leave_and_enter(struct cxlmem_device *cdev, const struct cxlmem_mode *to,
			   u64 *evacuated)
{
	struct cxlmem_memory *mem = cdev->mem;
	int rc;

	if (mem->mode->leave) {
		rc = mem->mode->leave(cdev, evacuated);
		if (rc)
			return rc;
		WRITE_ONCE(mem->mode, &cxlmem_mode_offline);
	}
	if (to->enter) {
		rc = to->enter(cdev);
		if (rc)
			return rc;
		WRITE_ONCE(mem->mode, to);
		cxlmem_forget_device_error(cdev);
	}
	return 0;
}

/* Returns when the switch is done, has been refused, or was interrupted. */
int cxlmem_switch_mode(struct cxlmem_device *cdev, const struct cxlmem_mode *to)
{
	const struct cxlmem_mode *from = cdev->mem->mode;
	u64 evacuated = 0;
	int rc;

	lockdep_assert_held(&cdev->lock);
	if (from == to)
		return 0;
	if (cdev->broken && to != &cxlmem_mode_offline)
		return cxlmem_refuse(cdev, -EIO, "the device is broken: %s", cdev->device_error);

	if (cdev->ops && cdev->ops->quiesce) {
		rc = cdev->ops->quiesce(cdev->drvdata);
		if (rc)
			return cxlmem_refuse(cdev, rc,
					     "the device's driver cannot stop the device now (%pe)",
					     ERR_PTR(rc));
	}

	trace_cxlmem_switch_begin(cdev->mem->name, from->name, to->name);
	WRITE_ONCE(cdev->going_to, to);
	rc = leave_and_enter(cdev, to, &evacuated);
	WRITE_ONCE(cdev->going_to, NULL);
	trace_cxlmem_switch_end(cdev->mem->name, from->name, cdev->mem->mode->name, evacuated, rc);
	sysfs_notify(&cdev->dev.kobj, NULL, "progress");

	if (cdev->ops && cdev->ops->resume)
		cdev->ops->resume(cdev->drvdata);
	if (cdev->mem->mode != from)
		announce(cdev, from, evacuated);
	return rc;
}
