// SPDX-License-Identifier: GPL-2.0
/*
 * A device breaks: its memory is evacuated as well as it can be, and no mode is entered
 * until its driver says that it has recovered. What has happened stays to be read until
 * then, so that who comes later can tell.
 */
#include <linux/cleanup.h>
#include <linux/kobject.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "internal.h"

static void announce(struct cxlmem_device *cdev)
{
	char text[sizeof(cdev->device_error) + 16];
	char *env[] = { text, NULL };

	scoped_guard(mutex, &cdev->error_lock)
		snprintf(text, sizeof(text), "DEVICE_ERROR=%s", cdev->device_error);
	kobject_uevent_env(&cdev->dev.kobj, KOBJ_CHANGE, env);
	sysfs_notify(&cdev->dev.kobj, NULL, "device_error");
}

static void note(struct cxlmem_device *cdev, const char *what, const char *mode, int rc)
{
	guard(mutex)(&cdev->error_lock);
	if (rc)
		snprintf(cdev->device_error, sizeof(cdev->device_error),
			 "%s; the memory stays in mode %s: %s", what, mode, cdev->error);
	else if (!strcmp(mode, cxlmem_mode_offline.name))
		snprintf(cdev->device_error, sizeof(cdev->device_error),
			 "%s; the memory was not in use", what);
	else
		snprintf(cdev->device_error, sizeof(cdev->device_error),
			 "%s; the memory was evacuated, it was in mode %s", what, mode);
	dev_err(&cdev->dev, "%s\n", cdev->device_error);
}

/**
 * cxlmem_device_error() - a device has an error that its memory may not survive
 * @cdev: the cxlmem device
 * @what: which error, in words
 *
 * Evacuates the memory. A transition that somebody else has under way is stopped
 * first. As at a removal, it is tried even if the host is short of room, until there
 * has been no progress for a while; but claims of mode "cma" are not revoked.
 *
 * Return: 0 if nothing of the memory is in use now. Else an error number: something
 * could not be moved, and the memory stays in its mode.
 */
int cxlmem_device_error(struct cxlmem_device *cdev, const char *what)
{
	const char *mode;
	int rc;

	WRITE_ONCE(cdev->broken, true);
	wake_up_all(&cdev->mem->wait);
	scoped_guard(mutex, &cdev->lock) {
		mode = cdev->mem->mode->name;
		cxlmem_forget_error(cdev);
		rc = cxlmem_switch_mode(cdev, &cxlmem_mode_offline);
		note(cdev, what, mode, rc);
	}
	announce(cdev);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_device_error, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_device_recovered() - a device that had an error works again
 * @cdev: the cxlmem device
 *
 * Memory that was evacuated stays in mode "offline" until its owner decides. Does nothing
 * if there was no cxlmem_device_error().
 */
void cxlmem_device_recovered(struct cxlmem_device *cdev)
{
	scoped_guard(mutex, &cdev->lock) {
		if (!cdev->broken)
			return;
		guard(mutex)(&cdev->error_lock);
		WRITE_ONCE(cdev->broken, false);
		strlcat(cdev->device_error, "; the device has recovered",
			sizeof(cdev->device_error));
		dev_info(&cdev->dev, "%s\n", cdev->device_error);
	}
	announce(cdev);
}
EXPORT_SYMBOL_NS_GPL(cxlmem_device_recovered, CXLMEM_NS(CXLMEM));

/* Who has put the memory to use again knows of it. */
void cxlmem_forget_device_error(struct cxlmem_device *cdev)
{
	guard(mutex)(&cdev->error_lock);
	cdev->device_error[0] = '\0';
}
