// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl run: a program whose memory is on the device. */
#include <signal.h>
#include <unistd.h>

#include "tool.h"

int cmd_run(struct tool *t, int argc, char **argv)
{
	struct cxlmem_device *dev;

	if (cxlmem_device_find(t->ctx, argv[0], &dev))
		return library_failed(t);
	argv++;
	argc--;
	if (!strcmp(argv[0], "--")) {
		argv++;
		argc--;
	}
	if (!argc)
		return wrong_usage(t, "which program?");
	if (cxlmem_device_bind_memory(dev, t->value[OPT_PREFER]))
		return library_failed(t);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	failed(t, "cannot run %s: %s", argv[0], strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}
