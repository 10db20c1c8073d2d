// SPDX-License-Identifier: GPL-2.0
/*
 * Command lines, run one after the other on a machine with one device. What
 * must hold: a dry run, and what exits with 1 or 2, has changed nothing,
 * whatever the kernel refused meanwhile.
 *
 * The input has one argument a line; an empty line ends a command. A line
 * "@NAME VALUE" makes the fake kernel misbehave, see ../unit/kernel.c.
 *
 * runs: 4000
 * length: 400
 */
#include <unistd.h>

#include "fuzz.h"

#define DEV	"sys/class/cxlmem/cxlmem0/"
#define MEMORY	"sys/devices/system/memory/"
#define PCI	"sys/bus/pci/devices/0000:0d:00.0/"

#define MAX_ARGS	16
#define MAX_COMMANDS	6

static void put_all(void)
{
	static const unsigned char dvsec[0x110] = {
		[0x100] = 0x23, [0x104] = 0x98, [0x105] = 0x1e, [0x10a] = 0x04,
	};

	put_machine();
	put_device(0);
	put_node1(0);
	put_bytes(PCI "config", dvsec, sizeof(dvsec));
	/* What has these is not loaded. */
	put("sys/module/cxlmem_pci/x", "%s", "");
	put("sys/module/cxlmem_range/x", "%s", "");
	put("sys/bus/platform/drivers/cxlmem_range/new_range", "%s", "");
	put("etc/cxlmem/cxlmem.conf",
	    "[auto-online card]\nmatch.serial = 0x1234\nmode = system\nzone = kernel\n");
}

/* All that a command can change, one a line. */
static void add(char *text, size_t size, const char *path)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s = %s\n", path, get(path));
}

static char *snapshot(void)
{
	static const char *const attrs[] = {
		DEV "mode", DEV "zone", DEV "node", DEV "memmap_on_memory",
		MEMORY "auto_online_blocks",
	};
	char text[4000] = "", path[100];
	ssize_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		add(text, sizeof(text), attrs[i]);
	for (i = 32; i < 36; i++) {
		snprintf(path, sizeof(path), MEMORY "memory%zu/state", i);
		add(text, sizeof(text), path);
		if (strcmp(get(path), "online"))
			continue;
		snprintf(path, sizeof(path), MEMORY "memory%zu/valid_zones", i);
		add(text, sizeof(text), path);
	}
	len = readlink(PCI "driver", path, sizeof(path) - 1);
	if (len > 0) {
		path[len] = '\0';
		strcat(text, path);
	}
	return strdup(text);
}

static bool has_word(int argc, char **argv, const char *word)
{
	while (argc--)
		if (!strcmp(argv[argc], word))
			return true;
	return false;
}

static void run(int argc, char **argv)
{
	char *before = snapshot(), *after;
	struct printed printed;
	int code;

	drop("fake/log");
	code = run_tool(argc, argv, &printed);
	after = snapshot();
	if (code == 1 || code == 2)
		must(!strcmp(before, after), "exit code %d\n%s\nbefore:\n%s\nafter:\n%s\nwritten:\n%s",
		     code, printed.err, before, after, get("fake/log"));
	if (code)
		must(*printed.out || *printed.err);
	if (has_word(argc, argv, "--dry-run") && !has_word(argc, argv, "--"))
		must(!exists("fake/log"), "%s", get("fake/log"));
	if (code != 2 && *printed.out == '{')
		check_json(&printed);
	free(before);
	free(after);
}

static void misbehave(char *text)
{
	static const char *const names[] = {
		"stuck", "no-online", "policy", "no-probe", "mode.error", "zone.error", "node.error",
		"memmap_on_memory.error", "state.error", "unbind.error", "driver_override.error",
		"new_range.error", "auto_online_blocks.error",
	};
	size_t word = strcspn(text, " "), i;
	char path[100];

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == word && !strncmp(names[i], text, word))
			break;
	if (i == ARRAY_SIZE(names))
		return;
	snprintf(path, sizeof(path), "fake/%s", names[i]);
	if (text[word])
		put(path, "%s\n", text + word + 1);
	else
		drop(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[MAX_ARGS + 1] = { "cxlmemctl", "--sysroot", "." };
	char *text = to_string(data, size), *at, *line;
	int argc = 3, commands = 0;

	fuzz_context();
	if (!exists(DEV "mode"))
		put_all();
	for (at = text; (line = strsep(&at, "\n")) && commands < MAX_COMMANDS;) {
		if (*line == '@') {
			misbehave(line + 1);
		} else if (*line && argc < MAX_ARGS) {
			argv[argc++] = line;
			argv[argc] = NULL;
		}
		if (!*line || !at) {
			run(argc, argv);
			argc = 3;
			argv[argc] = NULL;
			commands++;
		}
	}
	if (exists("fake")) {
		drop("fake");
		drop("sys");
	}
	free(text);
	return 0;
}
