// SPDX-License-Identifier: GPL-2.0
/* The command line tool: what it prints, and its exit codes. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tree.h"

static char out[32768], err[32768];

static void load(const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tree_path(), name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	len = read(fd, text, size - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
}

/* In the child process that becomes cxlmemctl. */
static void redirect_to(int fd, const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (file < 0)
		_exit(98);
	dup2(file, fd);
	close(file);
}

static void redirect(int fd, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tree_path(), name);
	redirect_to(fd, path);
}

/* Starts cxlmemctl --sysroot TREE ARGS, split at blanks. */
static pid_t start(const char *args)
{
	char *argv[32] = { TOOL, "--sysroot", (char *)tree_path() }, *save, *copy;
	int argc = 3;
	pid_t pid = fork();

	if (pid)
		return pid;
	copy = strdup(args);
	for (argv[argc] = strtok_r(copy, " ", &save); argv[argc];
	     argv[argc] = strtok_r(NULL, " ", &save))
		argc++;
	redirect(STDOUT_FILENO, "out");
	redirect(STDERR_FILENO, "err");
	execv(TOOL, argv);
	_exit(99);
}

/* Waits for its end; fills out and err. Returns the exit code. */
static int finish(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	load("out", out, sizeof(out));
	load("err", err, sizeof(err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int tool(const char *args)
{
	return finish(start(args));
}

static void list(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_device(1);
	put_node1(100 * MIB);
	put("sys/class/cxlmem/cxlmem1/node", "-1\n");
	assert_int_equal(tool("online cxlmem0"), 0);
	assert_string_equal(out, "cxlmem0 is in mode system, 512M on line on node 1 in zone movable\n");
	assert_int_equal(tool("list"), 0);
	assert_string_equal(out,
"NAME    PARENT       MODE    STATE  SIZE NODE ZONE    ONLINE USED FREE DISTANCE LATENCY BANDWIDTH TIER\n"
"cxlmem0 0000:0d:00.0 system  online 512M    1 movable   512M 100M 412M       20   250ns 30000MB/s   60\n"
"cxlmem1 0000:0d:00.1 offline -      512M    - movable      -    -    -        -       -         -    -\n");
	assert_string_equal(err, "");
}

static void list_options(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_device(1);
	assert_int_equal(tool("list -o name,SIZE,serial -b"), 0);
	assert_string_equal(out, "NAME         SIZE SERIAL\n"
				 "cxlmem0 536870912 0x1234\n"
				 "cxlmem1 536870912 0x1235\n");
	assert_int_equal(tool("list -nro NAME,MODE 0d:00.1"), 0);
	assert_string_equal(out, "cxlmem1 offline\n");
	assert_int_equal(tool("list -n -o NAME --mode system"), 0);
	assert_string_equal(out, "");
	assert_int_equal(tool("list --output-all"), 0);
	assert_contains(out, "MEMMAP");
	assert_int_equal(tool("list -o NAME,COLOUR"), 2);
	assert_contains(err, "there is no column 'COLOUR'; there are: NAME PARENT");
	assert_int_equal(tool("list cxlmem9"), 1);
	assert_contains(err, "cxlmemctl list: there is no device 'cxlmem9'; there are: cxlmem0, cxlmem1");
}

static void list_nothing(void **state)
{
	(void)state;
	assert_int_equal(tool("list"), 0);
	assert_string_equal(out, "");
	assert_contains(err, "no devices");
	assert_int_equal(tool("list --json"), 0);
	assert_string_equal(out, "{\n  \"schema\":1,\n  \"devices\":[]\n}\n");
}

static void list_json(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_node1(100 * MIB);
	put("sys/class/cxlmem/cxlmem0/size", "%llu\n", 4 * BLOCK + 64 * MIB);
	assert_int_equal(tool("list --json"), 0);
	assert_string_equal(out,
			    "{\n"
			    "  \"schema\":1,\n"
			    "  \"devices\":[\n"
			    "    {\n"
			    "      \"name\":\"cxlmem0\",\n"
			    "      \"kind\":\"cxlmem\",\n"
			    "      \"parent\":\"0000:0d:00.0\",\n"
			    "      \"driver\":\"cxlmem_pci\",\n"
			    "      \"mode\":\"offline\",\n"
			    "      \"modes\":[\n"
			    "        \"offline\",\n"
			    "        \"system\"\n"
			    "      ],\n"
			    "      \"state\":null,\n"
			    "      \"start\":4294967296,\n"
			    "      \"size\":603979776,\n"
			    "      \"usable_start\":4294967296,\n"
			    "      \"usable_size\":536870912,\n"
			    "      \"trimmed\":67108864,\n"
			    "      \"node\":1,\n"
			    "      \"zone\":\"movable\",\n"
			    "      \"memmap\":\"host\",\n"
			    "      \"online\":0,\n"
			    "      \"offline\":0,\n"
			    "      \"used\":0,\n"
			    "      \"free\":null,\n"
			    "      \"capacity\":0,\n"
			    "      \"policy\":null,\n"
			    "      \"quota\":null,\n"
			    "      \"lend\":null,\n"
			    "      \"claimed\":0,\n"
			    "      \"distance\":20,\n"
			    "      \"read_latency_ns\":250,\n"
			    "      \"read_bandwidth_mbps\":30000,\n"
			    "      \"tier\":60,\n"
			    "      \"source\":\"driver\",\n"
			    "      \"serial\":\"0x1234\"\n"
			    "    }\n"
			    "  ]\n"
			    "}\n");
	assert_int_equal(tool("list -v"), 0);
	assert_contains(err, "cxlmem0: 64M of its 576M cannot be used");
}

static void mode(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	assert_int_equal(tool("mode cxlmem0"), 0);
	assert_string_equal(out, "offline\n");
	assert_int_equal(tool("mode cxlmem0 system --dry-run"), 0);
	assert_string_equal(out, "would add 512M of cxlmem0 to node 1 and put it on line in zone movable, memory map on the host\n");
	assert_int_equal(tool("mode cxlmem0 system"), 0);
	assert_int_equal(tool("mode cxlmem0 system"), 0);
	assert_contains(out, "cxlmem0 is already in mode system, 512M on line");
	assert_int_equal(tool("mode cxlmem0 sytem"), 2);
	assert_contains(err, "cxlmem0 has no mode 'sytem'; it has: offline system");
	assert_int_equal(tool("online cxlmem0 --zone kernel"), 0);
	assert_contains(err, "goes off line first to change that");
	assert_contains(err, "cxlmemctl online: warning: in zone kernel");
	assert_int_equal(tool("offline cxlmem0"), 0);
	assert_string_equal(out, "cxlmem0 is in mode offline\n");
}

static void driver_mode(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_driver_mode(0);
	assert_int_equal(tool("mode cxlmem0 driver --dry-run --policy evict --quota 64M"), 0);
	assert_string_equal(out, "would hand out the memory of cxlmem0, up to 512M, to programs that ask for it: policy evict, a quota of 64M\n");
	assert_false(exists("fake/log"));
	assert_int_equal(tool("mode cxlmem0 driver --policy evict --quota 64M"), 0);
	assert_string_equal(out, "cxlmem0 is in mode driver, 0B of 512M in use, policy evict, 64M for each user\n");
	put("sys/class/cxlmem/cxlmem0/pages/used", "%llu\n", 100 * MIB);
	assert_int_equal(tool("mode cxlmem0 driver --quota 0"), 0);
	assert_string_equal(out, "cxlmem0 is in mode driver, 100M of 512M in use, policy evict, no quota\n");
	assert_int_equal(tool("mode cxlmem0 driver --policy evict"), 0);
	assert_contains(out, "cxlmem0 is already in mode driver, 100M of 512M in use");
	assert_int_equal(tool("list -o NAME,MODE,CAPACITY,USED,FREE,POLICY,QUOTA"), 0);
	assert_string_equal(out, "NAME    MODE   CAPACITY USED FREE POLICY QUOTA\n"
				 "cxlmem0 driver     512M 100M 412M evict      -\n");
	assert_int_equal(tool("list --json"), 0);
	assert_contains(out, "\"used\":104857600,\n      \"free\":432013312,\n"
			     "      \"capacity\":536870912,\n      \"policy\":\"evict\",\n"
			     "      \"quota\":0,\n");
	assert_int_equal(tool("evacuate cxlmem0"), 0);
	assert_string_equal(out, "cxlmem0 is in mode driver, 0B of 512M in use, policy evict, no quota\n");
	assert_int_equal(tool("offline cxlmem0"), 0);
	assert_string_equal(out, "cxlmem0 is in mode offline\n");
}

static void migrate_arguments(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_driver_mode(0);
	assert_int_equal(tool("mode cxlmem0 driver"), 0);
	assert_int_equal(tool("migrate --pid 0 cxlmem0"), 2);
	assert_contains(err, "'0' is not the number of a process");
	assert_int_equal(tool("migrate --pid -1 cxlmem0"), 2);
	assert_int_equal(tool("migrate --pid 99999999999 cxlmem0"), 2);
	assert_int_equal(tool("migrate --interval 0 cxlmem0 true"), 2);
	assert_contains(err, "'0' is not a number of seconds");
	assert_int_equal(tool("migrate --interval nan cxlmem0 true"), 2);
	put("dev/cxlmem0", "%s", "");
	assert_int_equal(tool("migrate --pid 1 cxlmem0"), 1);
	assert_contains(err, "there is no such process");
	assert_int_equal(tool("migrate cxlmem0 true"), 1);
	assert_contains(err, "no program is started with --sysroot");
}

/* One page of a process is the device's; the page tables are made up. */
static void who(void **state)
{
	uint64_t entry = 1ull << 63 | START / 4096;
	char path[PATH_MAX];
	FILE *file;

	(void)state;
	put_machine();
	put_device(0);
	put_driver_mode(0);
	assert_int_equal(tool("mode cxlmem0 driver"), 0);
	put("sys/class/cxlmem/cxlmem0/pages/used", "8192\n");
	put("proc/42/comm", "prog\xff\n");
	put("proc/42/status", "Name:\tprog\nUid:\t12345678\t0\t0\t0\n");
	put("proc/42/cgroup", "1:name=systemd:/x\n0::/a/b\n");
	put("proc/42/maps", "00001000-00002000 rw-p 00000000 00:00 0 [heap]\n");
	snprintf(path, sizeof(path), "%s/proc/42/pagemap", tree_path());
	file = fopen(path, "w");
	if (!file)
		abort();
	fseek(file, 8, SEEK_SET);
	assert_int_equal(fwrite(&entry, sizeof(entry), 1, file), 1);
	fclose(file);
	assert_int_equal(tool("who cxlmem0 -b -r"), 0);
	assert_string_equal(out, "PID USER SIZE HUGE CGROUP COMMAND NOTE\n"
			    "42 12345678 4096 0 /a/b prog\\xff -\n");
	assert_contains(err, "4K of the 8K in use on cxlmem0 are mapped by no process");
	assert_int_equal(tool("who cxlmem0 --json"), 0);
	assert_contains(out, "\"pid\":42,\n      \"uid\":12345678,\n      \"command\":\"prog?\",\n      \"bytes\":4096,\n");
	assert_contains(out, "\"cgroup\":\"/a/b\"");
	assert_contains(out, "\"sum\":4096,");
	assert_contains(out, "\"contents\":[");
}

static void cma_mode(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_cma_mode(0);
	put_node1(0);
	assert_int_equal(tool("mode cxlmem0 cma --dry-run --lend on"), 0);
	assert_string_equal(out, "would add 512M of cxlmem0 to node 1, of which contiguous pieces can be claimed; the system may use what is not claimed\n");
	assert_false(exists("fake/log"));
	assert_int_equal(tool("mode cxlmem0 cma --lend on --quota 64M"), 0);
	assert_string_equal(out, "cxlmem0 is in mode cma, 512M on line on node 1 in zone movable, lend on, 64M claimed\n");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/lend"), "on");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/quota"), "67108864");
	assert_int_equal(tool("mode cxlmem0 cma --lend on"), 0);
	assert_contains(out, "already in mode cma");
	assert_int_equal(tool("list -bnro MODE,LEND,CLAIMED,USED,FREE"), 0);
	assert_string_equal(out, "cma on 67108864 67108864 469762048\n");
	assert_int_equal(tool("list --json"), 0);
	assert_contains(out, "\"lend\":true,\n      \"claimed\":67108864,");
	assert_int_equal(tool("evacuate cxlmem0"), 1);
	assert_contains(err, "64M of cxlmem0 are claimed; \"cxlmemctl claim cxlmem0\" lists who has them");
	assert_int_equal(tool("offline cxlmem0 --dry-run"), 0);
	assert_contains(err, "this would fail now: 64M of cxlmem0 are claimed");
	put("sys/class/cxlmem/cxlmem0/cma/claimed", "0\n");
	assert_int_equal(tool("evacuate cxlmem0"), 0);
	assert_contains(out, "512M off line");
	assert_int_equal(tool("mode cxlmem0 cma"), 0);
	put("sys/class/cxlmem/cxlmem0/cma/claimed", "67108864\n");
	put("fake/lend.error", "16 what the OS has at 0x100000000 cannot be moved\n");
	assert_int_equal(tool("mode cxlmem0 cma --lend off"), 1);
	assert_contains(err, "what the OS has at 0x100000000 cannot be moved");
	put("fake/mode.error", "16 64 MiB are claimed: 64 MiB by pid 42 (prog)\n");
	assert_int_equal(tool("mode cxlmem0 offline"), 1);
	assert_contains(err, "64 MiB are claimed: 64 MiB by pid 42 (prog)");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/mode"), "cma");
}

static void claims(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_cma_mode(0);
	put("sys/class/cxlmem/cxlmem0/mode", "cma\n");
	/* Nobody is seen to have it: a dma-buf of another kind has the same inode by chance. */
	put_dmabuf(41, "other", 17, "udmabuf");
	put_dmabuf(40, "other", 18, "cxlmem0");
	assert_int_equal(tool("claim -nr cxlmem0"), 0);
	assert_string_equal(out, "17 64M 0x4000000 12345678 - -\n");
	assert_int_equal(tool("release cxlmem0 17"), 1);
	assert_contains(err, "claim 17 (64M), made by process 42 (prog), is open in no process that you can see");
	/* Two have it, one of them as a mapping. */
	put_dmabuf(43, "prog", 17, "cxlmem0");
	put("proc/44/comm", "mapper\n");
	put("proc/44/maps", "7f0000000000-7f0004000000 rw-s 00000000 00:0b 17      /dmabuf:\n");
	assert_int_equal(tool("claim -bn -r cxlmem0"), 0);
	assert_contains(out, "17 67108864 0x4000000 12345678 43 prog\n");
	assert_contains(out, "17 67108864 0x4000000 12345678 44 mapper\n");
	assert_int_equal(tool("claim --json cxlmem0"), 0);
	assert_contains(out, "\"maker\":42,\n      \"maker_command\":\"prog\",");
	assert_contains(out, "\"pid\":44,\n      \"command\":\"mapper\"");
	assert_int_equal(tool("release cxlmem0 --all"), 1);
	assert_contains(err, "claim 17 (64M) is in use by process 4");
	assert_int_equal(tool("release cxlmem0 18"), 1);
	assert_contains(err, "cxlmem0 has no claim 18");
	assert_int_equal(tool("release cxlmem0 --all --json"), 1);
	assert_contains(out, "\"released\":[]");
	put("sys/class/cxlmem/cxlmem0/cma/claims", "%s", "");
	assert_int_equal(tool("release cxlmem0 --all"), 0);
	assert_string_equal(out, "cxlmem0 has no claims\n");
}

static void exit_codes(void **state)
{
	static const struct {
		const char *args;
		int code;
		const char *text;
	} cases[] = {
		{ "", 2, "which command?" },
		{ "frobnicate", 2, "there is no command 'frobnicate'" },
		{ "--frobnicate", 2, "there is no option '--frobnicate'" },
		{ "list --frobnicate", 2, "there is no option '--frobnicate'" },
		{ "list -x", 2, "there is no option '-x'" },
		{ "list --verbose -xj", 2, "there is no option '-x'" },
		{ "list --json=1", 2, "the option '--json' takes no argument" },
		{ "online cxlmem0 --dry-run=1", 2, "the option '--dry-run' takes no argument" },
		{ "list -o", 2, "the option '-o' needs an argument" },
		{ "online", 2, "cxlmemctl online DEV" },
		{ "online cxlmem0 cxlmem1", 2, "'cxlmem1' is too much" },
		{ "online cxlmem0 --zone normal", 2, "there is no zone 'normal'" },
		{ "online cxlmem0 --node one", 2, "'one' is not a NUMA node" },
		{ "online cxlmem0 --node -1", 2, "'-1' is not a NUMA node" },
		{ "online cxlmem0 --node 4096", 2, "'4096' is not a NUMA node" },
		{ "online cxlmem0 --memmap maybe", 2, "not 'maybe'" },
		{ "online cxlmem0 --timeout 1s", 2, "'1s' is not a number of seconds" },
		{ "mode cxlmem0 driver", 2, "cxlmem0 has no mode 'driver'" },
		{ "mode cxlmem0 driver --policy maybe", 2, "there is no policy 'maybe'" },
		{ "mode cxlmem0 driver --quota much", 2, "'much' is not a size" },
		{ "mode cxlmem0 driver --quota -1", 2, "'-1' is not a size" },
		{ "mode cxlmem0 system --quota 1G", 2, "is for the modes driver and cma" },
		{ "mode cxlmem0 system --policy deny", 2, "is for mode driver" },
		{ "mode cxlmem0 driver --lend on", 2, "is for mode cma" },
		{ "mode cxlmem0 cma --lend maybe", 2, "on or off" },
		{ "online cxlmem0 --policy deny", 2, "there is no option '--policy'" },
		{ "online cxlmem5", 1, "there is no device 'cxlmem5'" },
		{ "run cxlmem0 true", 1, "none of cxlmem0's memory is on line" },
		{ "migrate cxlmem0", 2, "which program, or which --pid?" },
		{ "migrate --pid 1 cxlmem0 true", 2, "but not both" },
		{ "migrate --out cxlmem0 true", 2, "--out is for --pid" },
		{ "migrate --interval 1 --pid 1 cxlmem0", 2, "--interval is for a program" },
		{ "migrate --pid 1 cxlmem0", 1, "cxlmem0 is in mode offline; \"cxlmemctl mode cxlmem0 driver\"" },
		{ "migrate cxlmem0 -- true", 1, "cxlmem0 is in mode offline" },
		{ "migrate cxlmem7 -- true", 1, "there is no device 'cxlmem7'" },
		{ "claim", 2, "cxlmemctl claim DEV" },
		{ "claim cxlmem0 much", 2, "'much' is not a size" },
		{ "claim cxlmem0 0", 2, "'0' is not a size" },
		{ "claim --align 3M cxlmem0 4M", 2, "'3M' is not a power of two" },
		{ "claim --try --wait cxlmem0 4M", 2, "but not both" },
		{ "claim --detach cxlmem0 4M true", 2, "but not both" },
		{ "claim cxlmem0 4M --detach", 2, "options are given before the device" },
		{ "claim cxlmem0 4M", 1, "cxlmem0 is in mode offline; \"cxlmemctl mode cxlmem0 cma\"" },
		{ "release cxlmem0", 2, "which claim, or --all?" },
		{ "release cxlmem0 1 --all", 2, "but not both" },
		{ "release cxlmem0 one", 2, "'one' is not the number of a claim" },
		{ "release cxlmem0 1", 1, "cxlmem0 has no claim 1" },
		{ "who", 2, "cxlmemctl who DEV" },
		{ "who cxlmem7", 1, "there is no device 'cxlmem7'" },
		{ "bind 0e:00.0", 1, "there is no PCI function 0000:0e:00.0" },
		{ "auto cxlmem0 --config /none", 1, "there is no file /none" },
	};
	size_t i;

	(void)state;
	put_machine();
	put_device(0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int code = tool(cases[i].args);

		if (code != cases[i].code)
			fail_msg("'%s' exits with %d, not %d", cases[i].args, code, cases[i].code);
		assert_contains(err, cases[i].text);
		assert_string_equal(out, "");
		if (code == 2)
			assert_contains(err, "--help\" tells more");
	}
	assert_false(exists("fake/log"));
}

static void bad_ranges(void **state)
{
	(void)state;
	put_machine();
	assert_int_equal(tool("bind junk"), 2);
	assert_contains(err, "'junk' is neither a PCI address");
	assert_int_equal(tool("bind 4G+banana"), 2);
	assert_contains(err, "'banana' in '4G+banana' is not a size");
}

static void partly(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	assert_int_equal(tool("online cxlmem0"), 0);
	put("fake/stuck", "34\n");
	assert_int_equal(tool("offline cxlmem0"), 1);
	assert_contains(err, "memory34 [0x110000000-0x117ffffff]: it holds memory of the kernel itself");
	assert_contains(err, "cxlmemctl offline: cxlmem0: cannot take the memory off line: memory block 34");
	assert_string_equal(out, "");
	assert_int_equal(tool("offline cxlmem0 --partial"), 64);
	assert_contains(err, "memory34 [");
	assert_string_equal(out, "cxlmem0 is in mode system, 128M on line on node 1 in zone movable, 384M off line\n");
}

static void json_results(void **state)
{
	struct json_object *o, *blocks, *block, *value;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	assert_int_equal(tool("online cxlmem0 --json"), 0);
	put("fake/stuck", "34\n");
	assert_int_equal(tool("offline cxlmem0 --json"), 1);
	o = json_tokener_parse(out);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "result", &value));
	assert_string_equal(json_object_get_string(value), "failed");
	assert_true(json_object_object_get_ex(o, "error", &value));
	assert_contains(json_object_get_string(value), "is stuck");
	assert_true(json_object_object_get_ex(o, "failed_blocks", &blocks));
	assert_int_equal(json_object_array_length(blocks), 1);
	block = json_object_array_get_idx(blocks, 0);
	assert_true(json_object_object_get_ex(block, "block", &value));
	assert_int_equal(json_object_get_int(value), 34);
	json_object_put(o);

	/* Events on stderr are JSON, too, one a line. */
	o = json_tokener_parse(err);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "event", &value));
	assert_string_equal(json_object_get_string(value), "block");
	json_object_put(o);
}

/* Arguments are any bytes, JSON is UTF-8. */
static void json_text_is_utf8(void **state)
{
	struct json_object *o, *value;

	(void)state;
	put_machine();
	assert_int_equal(tool("offline caf\xc3\xa9-\xff-\xc0\x80-\xed\xa0\x80-\xe2\x82 --json"), 1);
	o = json_tokener_parse(out);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "error", &value));
	assert_contains(json_object_get_string(value), "'caf\xc3\xa9-?-\?\?-\?\?\?-\?\?'");
	json_object_put(o);
}

static void stopped(void **state)
{
	pid_t pid;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	assert_int_equal(tool("online cxlmem0"), 0);
	put("fake/hang", "1\n");
	put("sys/class/cxlmem/cxlmem0/progress", "system offline 134217728 536870912\n");
	pid = start("offline cxlmem0 -v");
	usleep(1500000);
	kill(pid, SIGINT);
	assert_int_equal(finish(pid), 1);
	assert_contains(err, "moving data to other nodes: 128M of 512M (25%), ");
	/* On a busy machine not all of the four have been looked at yet. */
	assert_contains(err, " left [_");
	assert_int_equal(strcspn(strstr(err, " left ["), "]"), strlen(" left [____"));
	assert_contains(err, "cxlmem0: stopped; everything is as it was");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/mode"), "system");
}

/* Killed outright, it takes its helper along, and the next one finds the device free. */
static void killed(void **state)
{
	pid_t pid;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	assert_int_equal(tool("online cxlmem0"), 0);
	put("fake/hang", "1\n");
	pid = start("offline cxlmem0");
	usleep(300000);
	kill(pid, SIGKILL);
	assert_int_equal(finish(pid), 1000 + SIGKILL);
	usleep(100000);
	drop("fake/hang");
	usleep(100000);
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/mode"), "system");
	assert_int_equal(tool("offline cxlmem0 --no-wait"), 0);
}

static void busy(void **state)
{
	pid_t pid;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	assert_int_equal(tool("online cxlmem0"), 0);
	put("fake/hang", "1\n");
	pid = start("offline cxlmem0");
	usleep(300000);
	/* The first one's output goes to the same files, and is of no interest here. */
	assert_int_equal(tool("evacuate cxlmem0 --no-wait"), 1);
	assert_contains(err, "works on cxlmem0");
	drop("fake/hang");
	assert_int_equal(finish(pid), 0);
}

static void help(void **state)
{
	static const char *const commands[] = {
		"list", "mode", "online", "offline", "evacuate", "bind", "unbind", "run", "doctor",
		"auto", "migrate", "claim", "release", "who",
	};
	char args[64];
	size_t i;

	(void)state;
	assert_int_equal(tool("--help"), 0);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(args, sizeof(args), "  %s ", commands[i]);
		assert_contains(out, args);
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(args, sizeof(args), "%s --help", commands[i]);
		assert_int_equal(tool(args), 0);
		assert_contains(out, "examples:\n  cxlmemctl ");
	}
	assert_int_equal(tool("--version"), 0);
	assert_contains(out, "cxlmemctl ");
}

static void full_output(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	put_machine();
	put_device(0);
	pid = fork();
	if (!pid) {
		redirect_to(STDOUT_FILENO, "/dev/full");
		redirect(STDERR_FILENO, "err");
		execl(TOOL, TOOL, "--sysroot", tree_path(), "list", NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 1);
	load("err", err, sizeof(err));
	assert_contains(err, "cannot write the output: No space left on device");
}

static void doctor(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put("sys/module/cxlmem_core/x", "%s", "");
	put("proc/zoneinfo", "Node 0, zone   Normal\n        managed  524288\n"
			     "Node 0, zone  Movable\n        managed  0\n");
	assert_int_equal(tool("doctor"), 0);
	assert_contains(out, "ok       device: cxlmem0 is in mode offline");

	put("sys/class/cxlmem/cxlmem0/device_error", "fatal PCIe error; the memory was evacuated\n");
	assert_int_equal(tool("doctor"), 1);
	assert_contains(out, "problem  device: cxlmem0: fatal PCIe error; the memory was evacuated");
	put("sys/class/cxlmem/cxlmem0/device_error",
	    "fatal PCIe error; the memory was evacuated; the device has recovered\n");
	assert_int_equal(tool("doctor"), 0);
	assert_contains(out, "note     device: cxlmem0: fatal PCIe error");
	put("sys/class/cxlmem/cxlmem0/device_error", "\n");

	put("sys/devices/system/memory/auto_online_blocks", "online\n");
	put("etc/udev/rules.d/40-vm.rules",
	    "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"\n");
	put("usr/lib/udev/rules.d/41.rules", "# SUBSYSTEM==\"memory\" online\n");
	assert_int_equal(tool("doctor"), 0);
	assert_contains(out, "note     auto-online: the kernel's policy for new memory is 'online'");
	assert_contains(out, "note     udev: the udev rules in /etc/udev/rules.d/40-vm.rules");
	assert_null(strstr(out, "41.rules"));

	put("sys/module/memory_hotplug/parameters/memmap_on_memory", "N\n");
	put("sys/devices/platform/hmem.1/dax1.0/size", "%llu\n", 4 * BLOCK);
	put_link("sys/bus/dax/devices/dax1.0", "../../../devices/platform/hmem.1/dax1.0");
	assert_int_equal(tool("doctor"), 0);
	assert_contains(out, "the memory map of the devices, 8M, takes the host's memory");
	assert_contains(out, "to change that: cxlmemctl offline dax1.0, then cxlmemctl bind dax1.0");

	put("sys/class/cxlmem/cxlmem0/node", "-1\n");
	assert_int_equal(tool("doctor"), 1);
	assert_contains(out, "problem  device: cxlmem0: the firmware names no NUMA node for it");
	assert_int_equal(tool("doctor --json"), 1);
	assert_contains(out, "\"problems\":1");
	put("proc/zoneinfo", "Node 0, zone   Normal\n        managed  1024\n");
	assert_int_equal(tool("doctor"), 1);
	assert_contains(out, "problem  ratio:");
}

static void automatic(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	assert_int_equal(tool("auto cxlmem0"), 0);
	assert_contains(out, "no section of the configuration matches, it is left alone");
	put("etc/cxlmem/cxlmem.conf", "[auto-online card]\nmatch.serial = 0x1234\nmode = systm\n");
	assert_int_equal(tool("auto cxlmem0"), 1);
	assert_contains(err, "/etc/cxlmem/cxlmem.conf:3: 'systm' is not a value for mode");
	assert_false(exists("fake/log"));
	put("etc/cxlmem/cxlmem.conf", "[auto-online card]\nmatch.serial = 0x1234\nmode = system\n");
	assert_int_equal(tool("auto cxlmem0"), 0);
	assert_contains(out, "section 'card' asks for mode system");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/mode"), "system");
}

static void unbind(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	assert_int_equal(tool("unbind cxlmem0 --dry-run"), 0);
	assert_string_equal(out, "would take 0000:0d:00.0 from the driver cxlmem_pci\n");
	assert_int_equal(tool("unbind cxlmem0"), 0);
	assert_string_equal(out, "cxlmem0 has been given back\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list),
		TEST(list_options),
		TEST(list_nothing),
		TEST(list_json),
		TEST(mode),
		TEST(driver_mode),
		TEST(migrate_arguments),
		TEST(who),
		TEST(cma_mode),
		TEST(claims),
		TEST(exit_codes),
		TEST(bad_ranges),
		TEST(partly),
		TEST(json_results),
		TEST(json_text_is_utf8),
		TEST(stopped),
		TEST(killed),
		TEST(busy),
		TEST(help),
		TEST(full_output),
		TEST(doctor),
		TEST(automatic),
		TEST(unbind),
	};

	return cmocka_run_group_tests_name("tool", tests, NULL, NULL);
}
