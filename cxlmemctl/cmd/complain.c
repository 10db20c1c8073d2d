// SPDX-License-Identifier: GPL-2.0
/* What has gone wrong is said in one way by all commands. */
#include <stdarg.h>

#include "tool.h"

static void complain(struct tool *t, const char *fmt, va_list args)
{
	fprintf(stderr, "cxlmemctl%s%s: ", t->command ? " " : "",
		t->command ? t->command->name : "");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

int failed(struct tool *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(t, fmt, args);
	va_end(args);
	return EXIT_FAILED;
}

int wrong_usage(struct tool *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(t, fmt, args);
	va_end(args);
	fprintf(stderr, "\"cxlmemctl%s%s --help\" tells more.\n", t->command ? " " : "",
		t->command ? t->command->name : "");
	return EXIT_USAGE;
}

int library_failed(struct tool *t)
{
	return failed(t, "%s", cxlmem_error(t->ctx));
}
