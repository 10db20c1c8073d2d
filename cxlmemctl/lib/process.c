// SPDX-License-Identifier: LGPL-2.1
/* Reading about other processes in /proc, all of which may be gone the next moment. */
#include "private.h"

#define MAX_STATUS	(1 << 16)
#define MAX_MAPS	(64 << 20)

int process_number(struct cxlmem_ctx *ctx, pid_t pid, const char *name, uint64_t *value)
{
	char path[64], key[NAME_LEN], *text, *at;
	int rc = -ENOENT;

	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	snprintf(key, sizeof(key), "\n%s:\t", name);
	text = sysfs_read_all(ctx, path, MAX_STATUS);
	if (!text)
		return -ESRCH;
	at = strstr(text, key);
	if (at) {
		at += strlen(key);
		at += strspn(at, " ");
		at[strcspn(at, " \t\n")] = '\0';
		rc = parse_u64(at, 10, value);
	}
	free(text);
	return rc;
}

int process_each_mapping(struct cxlmem_ctx *ctx, pid_t pid,
			 int (*fn)(uint64_t start, uint64_t end, const char *name, void *data),
			 void *data)
{
	char path[64], *text, *line, *save = NULL;
	int rc = 0;

	snprintf(path, sizeof(path), "proc/%d/maps", (int)pid);
	text = sysfs_read_all(ctx, path, MAX_MAPS);
	if (!text)
		return -errno;
	for (line = strtok_r(text, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long start, end;
		int len = 0;

		if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %n", &start, &end, &len) < 2 ||
		    start >= end)
			continue;
		rc = fn(start, end, len ? line + len : "", data);
	}
	free(text);
	return rc;
}
