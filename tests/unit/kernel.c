// SPDX-License-Identifier: GPL-2.0
/*
 * The fake kernel: what happens when the library writes to an attribute. The
 * linker puts it in the place of attr_write(). A test makes it misbehave by
 * files in fake/ of the tree:
 *
 *	stuck		number of a memory block that cannot go offline
 *	no-online	number of a memory block that cannot go online
 *	policy		the zone that new blocks are put online in at once
 *	hang		any offlining lasts until a signal
 *	late		the same, but it is done when the signal comes
 *	ABC.error	"ERRNO TEXT": writing to attribute ABC fails; TEXT is last_error
 *	log		is made here: all writes, one a line
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (128ull << 20)

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_ioctl(int fd, unsigned long request, void *arg);

int __wrap_attr_write(int root, const char *path, const char *value);

static void store(int root, const char *path, const char *text, int flags)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | flags, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || write(fd, "\n", 1) < 0)
		abort();
	close(fd);
}

static int load(int root, const char *path, char *text, size_t size)
{
	int fd = openat(root, path, O_RDONLY);
	ssize_t len;

	text[0] = '\0';
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static unsigned long long load_number(int root, const char *path)
{
	char text[64];

	return load(root, path, text, sizeof(text)) ? ~0ull : strtoull(text, NULL, 0);
}

/* The attribute's directory with another attribute in it. */
static const char *beside(const char *path, const char *attr)
{
	static char result[4096];

	snprintf(result, sizeof(result), "%.*s/%s", (int)(strrchr(path, '/') - path), path, attr);
	return result;
}

int (*fake_ioctl)(int fd, unsigned long request, void *arg);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	return fake_ioctl ? fake_ioctl(fd, request, arg) : __real_ioctl(fd, request, arg);
}

static int misbehave(int root, const char *path, const char *attr)
{
	char name[256], text[256];
	int err, len = 0;

	snprintf(name, sizeof(name), "fake/%s.error", attr);
	if (load(root, name, text, sizeof(text)) || sscanf(text, "%d %n", &err, &len) != 1)
		return 0;
	if (!faccessat(root, beside(path, "last_error"), F_OK, 0))
		store(root, beside(path, "last_error"), text + len, O_TRUNC);
	return -err;
}

static void block_attr(int root, unsigned long long index, const char *attr, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/devices/system/memory/memory%llu/%s", index, attr);
	store(root, path, value, O_TRUNC);
}

static void log_failure(int root, unsigned long long index)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "4,2,2,-;page: refcount:0 mapcount:0 mapping:0000000000000000 index:0x1 pfn:%#llx\n"
		 "4,3,2,-;flags: 0x57ffffc0000240(workingset|head|node=1|zone=2)\n"
		 "4,4,2,-;page_type: f5(slab)\n"
		 "4,5,2,-;page dumped because: unmovable page", index * BLOCK / 4096);
	store(root, "dev/kmsg", line, O_APPEND);
}

static void hang_if_told(int root, const char *file)
{
	while (!faccessat(root, file, F_OK, 0))
		usleep(10000);
}

static int write_state(int root, const char *path, const char *value)
{
	unsigned long long index = strtoull(strstr(path, "memory/memory") + 13, NULL, 10);

	if (!strcmp(value, "offline")) {
		hang_if_told(root, "fake/hang");
		if (load_number(root, "fake/stuck") == index) {
			log_failure(root, index);
			return -EBUSY;
		}
		block_attr(root, index, "state", "offline");
		hang_if_told(root, "fake/late");
		return 0;
	}
	if (load_number(root, "fake/no-online") == index)
		return -ENOMEM;
	block_attr(root, index, "state", "online");
	block_attr(root, index, "valid_zones",
		   strcmp(value, "online_kernel") ? "Movable" : "Normal");
	return 0;
}

static void add_blocks(int root, unsigned long long first, unsigned long long nr)
{
	char path[128], policy[64];
	unsigned long long i;

	load(root, "fake/policy", policy, sizeof(policy));
	for (i = first; i < first + nr; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%llu", i);
		mkdirat(root, path, 0755);
		block_attr(root, i, "state", policy[0] ? "online" : "offline");
		block_attr(root, i, "valid_zones", policy[0] ? policy : "Normal Movable");
	}
}

static int remove_blocks(int root, const char *path, unsigned long long first,
			 unsigned long long nr)
{
	unsigned long long i;
	char name[128];

	hang_if_told(root, "fake/hang");
	for (i = first; i < first + nr; i++) {
		if (load_number(root, "fake/stuck") == i) {
			log_failure(root, i);
			snprintf(name, sizeof(name), "memory block %llu [mem %#llx-%#llx] is stuck",
				 i, i * BLOCK, (i + 1) * BLOCK - 1);
			store(root, beside(path, "last_error"), name, O_TRUNC);
			return -EBUSY;
		}
	}
	for (i = first; i < first + nr; i++) {
		snprintf(name, sizeof(name), "sys/devices/system/memory/memory%llu/state", i);
		unlinkat(root, name, 0);
		unlinkat(root, beside(name, "valid_zones"), 0);
		*strrchr(name, '/') = '\0';
		unlinkat(root, name, AT_REMOVEDIR);
	}
	return 0;
}

/* Mode "driver" has pages, which are all free when it is entered. */
static void set_pages(int root, const char *path, const char *mode)
{
	char size[64] = "0";

	if (faccessat(root, beside(path, "pages/capacity"), F_OK, 0))
		return;
	if (!strcmp(mode, "driver"))
		load(root, beside(path, "size"), size, sizeof(size));
	store(root, beside(path, "pages/capacity"), size, O_TRUNC);
	store(root, beside(path, "pages/used"), "0", O_TRUNC);
}

static int write_mode(int root, const char *path, const char *value)
{
	unsigned long long first, nr;
	int rc = 0;

	first = load_number(root, beside(path, "usable_start")) / BLOCK;
	nr = load_number(root, beside(path, "usable_size")) / BLOCK;
	if (!strcmp(value, "system") || !strcmp(value, "cma"))
		add_blocks(root, first, nr);
	else
		rc = remove_blocks(root, path, first, nr);
	if (!rc) {
		set_pages(root, path, value);
		store(root, path, value, O_TRUNC);
		if (!strcmp(value, "offline"))
			hang_if_told(root, "fake/late");
	}
	return rc;
}

/* Settings can be written in mode "offline" only. */
static int write_setting(int root, const char *path, const char *value)
{
	char mode[64], word[64];

	load(root, beside(path, "mode"), mode, sizeof(mode));
	if (strcmp(mode, "offline"))
		return -EBUSY;
	snprintf(word, sizeof(word), "%s", value);
	word[strcspn(word, " ")] = '\0';
	store(root, path, word, O_TRUNC);
	return 0;
}

/* With the driver of a function comes its device, and with it it goes: see put_function(). */
#define FUNCTION_DEVICE "sys/class/cxlmem/cxlmem0"
#define NO_DEVICE "fake/no-device"

/* A driver takes a function: the one it is told, or else cxl_pci. */
static int probe(int root, const char *pci)
{
	char path[256], driver[64], target[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver_override", pci);
	load(root, path, driver, sizeof(driver));
	if (!strcmp(driver, "cxlmem_pci") && !faccessat(root, "fake/no-probe", F_OK, 0)) {
		snprintf(path, sizeof(path),
			 "3,9,9,-;cxlmem_pci %s: no free address space in any window", pci);
		store(root, "dev/kmsg", path, O_APPEND);
		return -ENODEV;
	}
	snprintf(target, sizeof(target), "../../drivers/%s", driver[0] ? driver : "cxl_pci");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", pci);
	unlinkat(root, path, 0);
	if (symlinkat(target, root, path))
		abort();
	if (!strcmp(driver, "cxlmem_pci"))
		renameat(root, NO_DEVICE, root, FUNCTION_DEVICE);
	return 0;
}

static int unbind(int root, const char *pci)
{
	char path[256];

	if (!faccessat(root, "fake/function", F_OK, 0))
		renameat(root, FUNCTION_DEVICE, root, NO_DEVICE);

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", pci);
	return unlinkat(root, path, 0) ? -ENODEV : 0;
}

int __wrap_attr_write(int root, const char *path, const char *value)
{
	const char *attr = strrchr(path, '/') + 1;
	char line[4096];
	int rc;

	mkdirat(root, "fake", 0755);
	snprintf(line, sizeof(line), "%s < %s", path, value);
	line[strcspn(line, "\n")] = '\0';
	store(root, "fake/log", line, O_APPEND);
	rc = misbehave(root, path, attr);
	if (rc)
		return rc;
	if (!strcmp(attr, "drivers_probe"))
		return probe(root, value);
	if (!strcmp(attr, "bind"))
		return probe(root, value);
	if (!strcmp(attr, "unbind"))
		return unbind(root, value);
	if (faccessat(root, path, F_OK, 0))
		return -ENOENT;
	if (!strcmp(attr, "mode"))
		return write_mode(root, path, value);
	if (!strcmp(attr, "state"))
		return write_state(root, path, value);
	if (!strcmp(attr, "auto_online_blocks") || !strcmp(attr, "driver_override") || !strcmp(attr, "new_range") ||
	    !strcmp(attr, "remove_range") || !strcmp(attr, "policy") || !strcmp(attr, "quota") ||
	    !strcmp(attr, "lend")) {
		store(root, path, *value == '\n' ? "" : value, O_TRUNC);
		return 0;
	}
	return write_setting(root, path, value);
}
