// SPDX-License-Identifier: GPL-2.0
/* The table of commands with their options and help. A new command is a row here and a file. */
#include "tool.h"

static const struct option_row list_options[] = {
	{ 'o', "output", "LIST", "columns, separated by commas" },
	{ OPT_OUTPUT_ALL, "output-all", NULL, "all columns" },
	{ OPT_MODE, "mode", "MODE", "only devices in this mode" },
	{ 'b', "bytes", NULL, "amounts as numbers of bytes" },
	{ 'n', "noheadings", NULL, "no headings" },
	{ 'r', "raw", NULL, "columns separated by one blank, for scripts" },
	{ 0 },
};

static const struct option_row mode_options[] = {
	ROW_ZONE,
	ROW_NODE,
	ROW_MEMMAP,
	{ OPT_POLICY, "policy", "POLICY", "mode driver, when full: deny, or evict the oldest" },
	{ OPT_QUOTA, "quota", "SIZE", "modes driver, cma: what a user may have; 0: all" },
	{ OPT_LEND, "lend", "on|off", "mode cma: the system may use what is not claimed" },
	ROW_PARTIAL,
	ROW_JOBS,
	ROW_NICE,
	ROW_TO,
	ROW_TIMEOUT,
	ROW_FORCE("whatever node; a devdax device in use; no check for room"),
	ROW_NO_WAIT,
	ROW_DRY_RUN,
	{ 0 },
};

static const struct option_row online_options[] = {
	ROW_ZONE,
	ROW_NODE,
	ROW_MEMMAP,
	ROW_PARTIAL,
	ROW_TIMEOUT,
	ROW_FORCE("whatever node; a devdax device in use; no check for room"),
	ROW_NO_WAIT,
	ROW_DRY_RUN,
	{ 0 },
};

static const struct option_row offline_options[] = {
	ROW_PARTIAL,
	ROW_JOBS,
	ROW_NICE,
	ROW_TO,
	ROW_TIMEOUT,
	ROW_FORCE("a devdax device in use; no check for room"),
	ROW_NO_WAIT,
	ROW_DRY_RUN,
	{ 0 },
};

static const struct option_row bind_options[] = {
	ROW_NODE,
	ROW_FORCE("whatever node; a devdax device in use"),
	ROW_DRY_RUN,
	{ 0 },
};

static const struct option_row run_options[] = {
	{ OPT_PREFER, "prefer", NULL, "use other nodes when the device is full" },
	{ 0 },
};

static const struct option_row migrate_options[] = {
	{ OPT_PID, "pid", "PID", "a process that is running" },
	{ OPT_OUT, "out", NULL, "move its memory off the device" },
	{ OPT_INTERVAL, "interval", "SEC", "how often to look for more of a program's memory (1)" },
	{ 0 },
};

static const struct option_row claim_options[] = {
	{ OPT_ALIGN, "align", "SIZE", "its address is a multiple of this power of two" },
	{ OPT_TRY, "try", NULL, "only what is free right now: nothing is moved for it" },
	{ OPT_WAIT, "wait", NULL, "wait until there is room, and what is in the way goes" },
	{ OPT_DETACH, "detach", NULL, "leave a process in the background that holds it" },
	{ 'b', "bytes", NULL, "list: amounts as numbers of bytes" },
	{ 'n', "noheadings", NULL, "list: no headings" },
	{ 'r', "raw", NULL, "list: columns separated by one blank, for scripts" },
	{ 0 },
};

static const struct option_row release_options[] = {
	{ OPT_ALL, "all", NULL, "all claims on the device" },
	{ 0 },
};

static const struct option_row who_options[] = {
	{ 'b', "bytes", NULL, "amounts as numbers of bytes" },
	{ 'n', "noheadings", NULL, "no headings" },
	{ 'r', "raw", NULL, "columns separated by one blank, for scripts" },
	{ 0 },
};

static const struct option_row auto_options[] = {
	{ OPT_CONFIG, "config", "FILE", "instead of /etc/cxlmem/cxlmem.conf" },
	ROW_TIMEOUT,
	ROW_NO_WAIT,
	ROW_DRY_RUN,
	{ 0 },
};

const struct command commands[] = {
	{
		.name = "list",
		.run = cmd_list,
		.args = "[DEV...]",
		.max_args = -1,
		.help = "list the devices",
		.more = "Devices of the cxlmem driver and dax devices of the kernel's own drivers. STATE says how\n"
			"much of the memory is on line (online, partly, offline). USED is empty if it cannot be\n"
			"told, as when the node has other memory, too.",
		.examples = "  cxlmemctl list\n"
			    "  cxlmemctl list --mode system -o NAME,NODE,USED -b\n"
			    "  cxlmemctl list --json\n",
		.options = list_options,
	},
	{
		.name = "mode",
		.run = cmd_mode,
		.args = "DEV [MODE]",
		.min_args = 1,
		.max_args = 2,
		.help = "print a device's mode, or switch to another",
		.more = "Modes: offline (nobody uses the memory), system (the operating system uses it as a far\n"
			"NUMA node), driver (only what programs ask to have there is put there), cma (contiguous\n"
			"pieces can be claimed; the system may use the rest, or not). What was set before (zone,\n"
			"node, memmap, policy, quota, lend) stays unless an option says otherwise. A switch\n"
			"completes, or leaves things as they were.",
		.examples = "  cxlmemctl mode cxlmem0\n"
			    "  cxlmemctl mode cxlmem0 system --dry-run\n"
			    "  cxlmemctl mode 0d:00.0 system --zone kernel\n"
			    "  cxlmemctl mode cxlmem0 driver --policy evict --quota 16G\n"
			    "  cxlmemctl mode cxlmem0 cma --lend on\n"
			    "  cxlmemctl mode serial:0x1234 offline\n",
		.options = mode_options,
	},
	{
		.name = "online",
		.run = cmd_online,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "let the operating system use a device's memory (mode system)",
		.more = "All memory blocks go on line in zone movable, from which they can be taken back, unless\n"
			"--zone kernel says otherwise.",
		.examples = "  cxlmemctl online cxlmem0\n"
			    "  cxlmemctl online cxlmem0 --node 2\n",
		.options = online_options,
	},
	{
		.name = "offline",
		.run = cmd_offline,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "take a device's memory back (mode offline)",
		.more = "Moves all data to other nodes first. If some cannot be moved, everything stays as it was,\n"
			"or with --partial what could be freed stays free. Ctrl-C stops it and puts things back.",
		.examples = "  cxlmemctl offline cxlmem0\n"
			    "  cxlmemctl offline cxlmem0 --dry-run\n"
			    "  cxlmemctl offline dax0.0 --timeout 60\n",
		.options = offline_options,
	},
	{
		.name = "evacuate",
		.run = cmd_evacuate,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "move the data off a device, which stays in its mode",
		.more = "In mode system the memory blocks are off line afterwards, but stay; \"cxlmemctl online\"\n"
			"brings them back at once. In mode driver the device is empty afterwards, and goes on\n"
			"to be handed out. If some data cannot be moved, everything stays as it was, or with --partial what\n"
			"could be freed stays free.",
		.examples = "  cxlmemctl evacuate cxlmem0\n"
			    "  cxlmemctl evacuate cxlmem0 --partial\n",
		.options = offline_options,
	},
	{
		.name = "bind",
		.run = cmd_bind,
		.args = "PCIADDR|START+SIZE|DAX",
		.min_args = 1,
		.max_args = 1,
		.help = "give a PCI function or a range of memory to the driver",
		.more = "A PCI function with CXL memory, a range that the firmware describes (Soft Reserved), or\n"
			"the range of a dax device that the kernel's hmem driver made. What is in use is refused.",
		.examples = "  cxlmemctl bind 0d:00.0\n"
			    "  cxlmemctl bind 0x100000000+1G --node 1\n"
			    "  cxlmemctl bind dax1.0\n",
		.options = bind_options,
	},
	{
		.name = "unbind",
		.run = cmd_unbind,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "take a device out of use and away from the driver",
		.more = "Takes the memory back first, as \"cxlmemctl offline\" does. A PCI function goes back to\n"
			"the driver that the kernel would choose.",
		.examples = "  cxlmemctl unbind cxlmem0\n",
		.options = offline_options,
	},
	{
		.name = "run",
		.run = cmd_run,
		.args = "DEV [--] PROGRAM [ARG...]",
		.min_args = 2,
		.max_args = -1,
		.help = "run a program whose memory is on the device",
		.more = "As numactl --membind does with the device's node. The exit code is the program's.",
		.examples = "  cxlmemctl run cxlmem0 -- stress-ng --vm 1\n"
			    "  cxlmemctl run --prefer cxlmem0 -- make -j8\n",
		.options = run_options,
		.program = true,
	},
	{
		.name = "migrate",
		.run = cmd_migrate,
		.args = "DEV [[--] PROGRAM [ARG...]]",
		.min_args = 1,
		.max_args = -1,
		.help = "keep a program's memory on a device in mode driver, or move a process's",
		.more = "Starts a program and moves its memory, and that of what it starts, to the device as it\n"
			"grows; the exit code is the program's. Or moves the memory that a process has now, or\n"
			"moves it back. The process goes on meanwhile. It must be yours, or you must be root; and\n"
			"you must have access to /dev/cxlmemN. Files and shared memory stay where they are.",
		.examples = "  cxlmemctl migrate cxlmem0 -- ./program --size 10G\n"
			    "  cxlmemctl migrate --pid 4711 cxlmem0\n"
			    "  cxlmemctl migrate --pid 4711 --out cxlmem0\n",
		.options = migrate_options,
		.program = true,
	},
	{
		.name = "claim",
		.run = cmd_claim,
		.args = "DEV [SIZE [[--] PROGRAM [ARG...]]]",
		.min_args = 1,
		.max_args = -1,
		.help = "claim contiguous memory of a device in mode cma, or list claims",
		.more = "What the system has there is moved away first. A program that is started gets the memory\n"
			"as a dma-buf: the number of its descriptor is in CXLMEM_FD, its size in CXLMEM_SIZE.\n"
			"Without a program it is held until Ctrl-C, or by --detach until \"cxlmemctl release\".\n"
			"Without a size, lists the claims and the processes that have them. You must have\n"
			"access to /dev/cxlmemN.",
		.examples = "  cxlmemctl claim cxlmem0 256M -- ./program\n"
			    "  cxlmemctl claim --detach cxlmem0 1G\n"
			    "  cxlmemctl claim cxlmem0\n",
		.options = claim_options,
		.program = true,
	},
	{
		.name = "release",
		.run = cmd_release,
		.args = "DEV ID...|--all",
		.min_args = 1,
		.max_args = -1,
		.help = "release what \"cxlmemctl claim\" holds",
		.more = "Ends the processes that hold these claims, and nothing else. A claim that a program or a\n"
			"device uses is refused, and its user named.",
		.examples = "  cxlmemctl release cxlmem0 17\n"
			    "  cxlmemctl release cxlmem0 --all\n",
		.options = release_options,
	},
	{
		.name = "who",
		.run = cmd_who,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "tell who and what has memory on a device",
		.more = "Processes, with amounts, in any mode; memory that they share counts for each. In the\n"
			"modes system and cma also what kinds of memory there are: files by file system, the\n"
			"kernel's own. NOTE tells what an evacuation has to know of. For root only, as nobody\n"
			"else may know where pages are.",
		.examples = "  cxlmemctl who cxlmem0\n"
			    "  cxlmemctl who cxlmem0 --json\n",
		.options = who_options,
	},
	{
		.name = "doctor",
		.run = cmd_doctor,
		.args = "",
		.help = "tell what on this machine gets in the way, and how to fix it",
		.more = "Looks at the kernel, its policies, udev rules, who holds what memory, and the devices.\n"
			"The exit code is 1 if there is a problem.",
		.examples = "  cxlmemctl doctor\n"
			    "  cxlmemctl doctor --json\n",
	},
	{
		.name = "auto",
		.run = cmd_auto,
		.args = "DEV",
		.min_args = 1,
		.max_args = 1,
		.help = "bring a device into the mode that the configuration names",
		.more = "This is what udev runs when a device appears. cxlmem.conf(5) describes the configuration.\n"
			"A device that it does not mention is left alone.",
		.examples = "  cxlmemctl auto cxlmem0\n"
			    "  cxlmemctl auto cxlmem0 --config ./cxlmem.conf --dry-run\n",
		.options = auto_options,
	},
	{ 0 },
};
