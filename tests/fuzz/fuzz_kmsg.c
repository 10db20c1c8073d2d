// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's log, and the reason of a failure in it.
 *
 * runs: 60000
 * length: 1000
 */
#include "fuzz.h"

#define SIZE (4 * BLOCK)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = to_string(data, size);
	struct kmsg kmsg = { .fd = -1 };
	struct offline_failure failure;
	size_t i;

	kmsg_parse(&kmsg, text);
	free(text);
	for (i = 0; i < kmsg.nr; i++)
		must(!strchr(kmsg.lines[i], '\n'));
	if (kmsg_offline_failure(&kmsg, START, SIZE, &failure)) {
		must(failure.address >= START && failure.address < START + SIZE);
		must(strnlen(failure.reason, sizeof(failure.reason)) < sizeof(failure.reason));
		must(strnlen(failure.type, sizeof(failure.type)) < sizeof(failure.type));
		must(*kmsg_explain(failure.reason));
	}
	kmsg_close(&kmsg);
	return 0;
}
