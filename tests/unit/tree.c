// SPDX-License-Identifier: GPL-2.0
/* Making and reading the files of a fake machine. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

static char root[PATH_MAX];

const char *tree_path(void)
{
	return root;
}

int tree_setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/cxlmem-test-XXXXXX");
	if (!mkdtemp(root) || chdir(root) || mkdir("run", 0755) || chdir("/"))
		return -1;
	return 0;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int tree_teardown(void **state)
{
	(void)state;
	return nftw(root, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void full(char *result, const char *path)
{
	assert_true(snprintf(result, PATH_MAX, "%s/%s", root, path) < PATH_MAX);
}

static void make_parents(char *path)
{
	char *slash;

	for (slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

void put(const char *path, const char *fmt, ...)
{
	char name[PATH_MAX];
	va_list args;
	FILE *file;

	full(name, path);
	make_parents(name);
	file = fopen(name, "w");
	if (!file)
		fail_msg("%s: %s", name, strerror(errno));
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fclose(file);
	chmod(name, 0644);
}

void put_link(const char *path, const char *target)
{
	char name[PATH_MAX];

	full(name, path);
	make_parents(name);
	unlink(name);
	assert_return_code(symlink(target, name), errno);
}

const char *get(const char *path)
{
	static char text[8192];
	char name[PATH_MAX];
	size_t len;
	FILE *file;

	full(name, path);
	file = fopen(name, "r");
	if (!file)
		return "";
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

bool exists(const char *path)
{
	char name[PATH_MAX];

	full(name, path);
	return !access(name, F_OK);
}

void drop(const char *path)
{
	char name[PATH_MAX];

	full(name, path);
	nftw(name, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}

void put_machine(void)
{
	put("sys/devices/system/memory/block_size_bytes", "%llx\n", BLOCK);
	put("sys/devices/system/memory/auto_online_blocks", "offline\n");
	put("sys/devices/system/memory/memory0/state", "online\n");
	put("sys/devices/system/memory/memory0/removable", "1\n");
	put("sys/devices/system/node/online", "0-1\n");
	put("sys/devices/system/node/has_cpu", "0\n");
	put("sys/devices/system/node/has_memory", "0\n");
	put("sys/devices/system/node/node0/distance", "10 20\n");
	put("sys/devices/system/node/node0/meminfo",
	    "Node 0 MemTotal:        2097152 kB\n"
	    "Node 0 MemFree:         1048576 kB\n"
	    "Node 0 Active(file):          0 kB\n");
	put("proc/sys/vm/min_free_kbytes", "0\n");
	put("dev/kmsg", "6,1,1,-;older than any test\n");
}

void put_device(unsigned int n)
{
	char dir[64], path[128], target[128];
	const struct {
		const char *name;
		const char *value;
	} attrs[] = {
		{ "mode", "offline" }, { "modes", "offline system" }, { "zone", "movable" },
		{ "node", "1" }, { "memmap_on_memory", "0" }, { "source", "driver" },
		{ "progress", "idle" }, { "last_error", "" }, { "device_error", "" },
	};
	size_t i;

	snprintf(dir, sizeof(dir), "sys/class/cxlmem/cxlmem%u", n);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, attrs[i].name);
		put(path, "%s\n", attrs[i].value);
	}
	snprintf(path, sizeof(path), "%s/start", dir);
	put(path, "%#llx\n", START + 16 * BLOCK * n);
	snprintf(path, sizeof(path), "%s/usable_start", dir);
	put(path, "%#llx\n", START + 16 * BLOCK * n);
	snprintf(path, sizeof(path), "%s/size", dir);
	put(path, "%llu\n", 4 * BLOCK);
	snprintf(path, sizeof(path), "%s/usable_size", dir);
	put(path, "%llu\n", 4 * BLOCK);
	snprintf(path, sizeof(path), "%s/serial", dir);
	put(path, "%#x\n", 0x1234 + n);

	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:0d:00.%u/vendor", n);
	put(path, "0x8086\n");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:0d:00.%u/device", n);
	put(path, "0x0d93\n");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:0d:00.%u/driver_override", n);
	put(path, "cxlmem_pci\n");
	put("sys/bus/pci/drivers/cxlmem_pci/unbind", "%s", "");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:0d:00.%u/driver", n);
	put_link(path, "../../drivers/cxlmem_pci");
	snprintf(path, sizeof(path), "%s/device", dir);
	snprintf(target, sizeof(target), "../../../bus/pci/devices/0000:0d:00.%u", n);
	put_link(path, target);
}

void put_driver_mode(unsigned int n)
{
	const char *const attrs[][2] = {
		{ "modes", "offline system driver" }, { "policy", "deny" }, { "quota", "0" },
		{ "pages/capacity", "0" }, { "pages/used", "0" },
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(path, sizeof(path), "sys/class/cxlmem/cxlmem%u/%s", n, attrs[i][0]);
		put(path, "%s\n", attrs[i][1]);
	}
}

void put_cma_mode(unsigned int n)
{
	const char *const attrs[][2] = {
		{ "modes", "offline system driver cma" }, { "lend", "off" },
		{ "cma/claimed", "67108864" }, { "cma/taking", "0" }, { "cma/free", "469762048" },
		{ "cma/largest", "268435456" },
		{ "cma/claims", "17 0x4000000 67108864 12345678 42 prog" },
	};
	char path[128];
	size_t i;

	put_driver_mode(n);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(path, sizeof(path), "sys/class/cxlmem/cxlmem%u/%s", n, attrs[i][0]);
		put(path, "%s\n", attrs[i][1]);
	}
}

void put_dmabuf(unsigned int pid, const char *command, unsigned int inode, const char *exporter)
{
	char path[128];

	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	put(path, "%s\n", command);
	snprintf(path, sizeof(path), "proc/%u/fdinfo/3", pid);
	put(path, "pos:\t0\nflags:\t02100002\nmnt_id:\t15\nino:\t%u\nsize:\t67108864\ncount:\t2\nexp_name:\t%s\n",
	    inode, exporter);
}

void put_node1(uint64_t used)
{
	uint64_t total = 4 * BLOCK / 1024;

	put("sys/devices/system/node/has_memory", "0-1\n");
	put("sys/devices/system/node/node1/distance", "20 10\n");
	put("sys/devices/system/node/node1/meminfo",
	    "Node 1 MemTotal: %8ju kB\nNode 1 MemFree:  %8ju kB\n", (uintmax_t)total,
	    (uintmax_t)(total - used / 1024));
	put("sys/devices/system/node/node1/access0/initiators/read_latency", "250\n");
	put("sys/devices/system/node/node1/access0/initiators/read_bandwidth", "30000\n");
	put("sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0\n");
	put("sys/devices/virtual/memory_tiering/memory_tier60/nodelist", "1\n");
}

struct cxlmem_ctx *tree_context(void)
{
	struct cxlmem_ctx *ctx;

	assert_int_equal(cxlmem_new(&ctx), 0);
	assert_int_equal(cxlmem_set_sysroot(ctx, root), 0);
	return ctx;
}

struct cxlmem_device *find(struct cxlmem_ctx *ctx, const char *name)
{
	struct cxlmem_device *dev;
	int rc = cxlmem_device_find(ctx, name, &dev);

	if (rc)
		fail_msg("%s", cxlmem_error(ctx));
	return dev;
}
