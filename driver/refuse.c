// SPDX-License-Identifier: GPL-2.0
/* A refusal names its cause: in the log, and in the attribute last_error. */
#include <linux/cleanup.h>

#include "internal.h"

/* Remembers and logs why something is refused; returns @error. */
int cxlmem_refuse(struct cxlmem_device *cdev, int error, const char *format, ...)
{
	va_list args;

	guard(mutex)(&cdev->error_lock);
	va_start(args, format);
	vsnprintf(cdev->error, sizeof(cdev->error), format, args);
	va_end(args);
	dev_warn(&cdev->dev, "%s\n", cdev->error);
	return error;
}

void cxlmem_forget_error(struct cxlmem_device *cdev)
{
	guard(mutex)(&cdev->error_lock);
	cdev->error[0] = '\0';
}
