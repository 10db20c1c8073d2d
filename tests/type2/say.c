// SPDX-License-Identifier: GPL-2.0
/* A file of its own, so that the fuzz target can have none of it. */
#include <stdarg.h>
#include <stdio.h>

#include "model.h"

void say(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "t2accel: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}
