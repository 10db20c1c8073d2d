# SPDX-License-Identifier: GPL-2.0
# What the tests of the driver and the tool share, on top of lib.sh.

. /cxlmem/tests/vm/lib.sh

# Of a process that is bound to a node that leaves, the kernel logs that it had to
# wait. And between the node's last page and the kernel's own voiding of the
# binding a page fault fails, is logged, and tried again.
expected_log='/page allocation \(failure: order:0\|stall for\).*nodemask=/,/Mem-Info/d'

SYS=/sys/class/cxlmem/cxlmem0

# The device has less memory where the kernel is slow, see run-test: a test goes
# by these, which bind_device sets: MiB in all, nine tenths, and memory blocks.
mib=0 full=0 nblocks=0
measure_device() {
	mib=$(($(attr usable_size) >> 20))
	full=$((mib * 9 / 10))
	nblocks=$((mib / (0x$(</sys/devices/system/memory/block_size_bytes) >> 20)))
}

# bind_device [PCIADDR|RANGE]: by default the CXL function.
bind_device() {
	cxlmemctl bind "${1:-$(cxl_function)}" >/dev/null && measure_device
}

# attr NAME [VALUE]: read or write an attribute of cxlmem0. Not by cat: to start a
# program takes a tenth of a second, emulated.
attr() {
	local value
	if [ $# = 1 ]; then value=$(<"$SYS/$1") && echo "$value"; else echo "$2" >"$SYS/$1"; fi
}

# mib_of NODE KEY: a figure of the node's meminfo, in MiB; 0 without the node.
mib_of() {
	awk -v k="$2:" '$3 == k { n = $4 } END { print int(n / 1024) }' \
		"/sys/devices/system/node/node$1/meminfo" 2>/dev/null || echo 0
}

# The memory blocks of cxlmem0: their folders under /sys.
blocks() {
	local size start n i
	size=$((0x$(</sys/devices/system/memory/block_size_bytes)))
	start=$(($(attr usable_start) / size))
	n=$(($(attr usable_size) / size))
	for ((i = 0; i < n; i++)); do
		echo "/sys/devices/system/memory/memory$((start + i))"
	done
}

# How many of them are in STATE, and the zones that they are in.
blocks_in_state() {
	local block state n=0
	for block in $(blocks); do
		state=
		read -r state 2>/dev/null <"$block/state"
		[ "$state" != "$1" ] || n=$((n + 1))
	done
	echo $n
}
zones() {
	local block
	for block in $(blocks); do
		if [ "$(cat "$block/state" 2>/dev/null)" = online ]; then cat "$block/valid_zones"; fi
	done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# start_pattern NODE MIB [OPTION...]: a program with that much memory, bound to
# the node. Sets $pattern to its pid; what it says goes to /tmp/pattern.PID.
start_pattern() {
	local node=$1 mib=$2
	shift 2
	start_program numactl --membind "$node" pattern "$@" "$mib"
}

# start_program COMMAND...: the same for a pattern program started otherwise.
start_program() {
	local out
	out=$(mktemp)
	"$@" >"$out" 2>&1 &
	pattern=$!
	wait_for 60 grep -q ready "$out"
	mv "$out" "/tmp/pattern.$pattern"
}

# Asks a pattern program whether its memory is what it wrote.
pattern_says() {
	local earlier answers
	mapfile -t earlier <"/tmp/pattern.$1"
	kill -USR1 "$1" 2>/dev/null || { echo "it is dead"; return; }
	pattern_has_said() {
		mapfile -t answers <"/tmp/pattern.$1"
		[ ${#answers[@]} -gt ${#earlier[@]} ]
	}
	wait_for 60 pattern_has_said "$1"
	echo "${answers[-1]}"
}

intact() { is "$(pattern_says "$1")" intact "$2"; }

stop_pattern() {
	kill "$1"
	wait "$1" 2>/dev/null || true
}

# MiB that a process has on a node, by /proc/PID/numa_maps.
resident() {
	awk -v n="N$2=" '{ size = 4
		for (i = 1; i <= NF; i++) if ($i ~ /^kernelpagesize_kB=/) size = substr($i, 19)
		for (i = 1; i <= NF; i++) if (index($i, n) == 1) sum += substr($i, length(n) + 1) * size
	} END { print int(sum / 1024) }' "/proc/$1/numa_maps"
}

# What is free once caches are dropped, in kB. The CPUs' own lists of free pages
# are not in MemFree, and hold tens of MiB.
free_memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo $(($(awk '/^MemFree:/ { print $2 }' /proc/meminfo) +
		$(awk '$1 == "count:" { n += $2 } END { print n * 4 }' /proc/zoneinfo)))
}

# Memory that a module has allocated and nobody points to any more, by kmemleak.
# It leaves out objects younger than 5 s, and goes by the second of two scans.
# What an unloaded module allocated has bare addresses in place of its name. A
# test that asks needs "append: kmemleak=on slab_debug=F": without the latter
# the allocator remembers what it has lately given out, and that counts as in use.
leaks() {
	sleep 5.5
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	awk -v functions="$([ -z "$reports_allowed" ] || functions_allowed)" '
		function flush() {
			if (object ~ /\[(cxlmem_|planted)|0xffffffff[ac]0[0-9a-f]+\n/ &&
			    (functions == "" || object !~ "(" functions ")[+]0x"))
				printf "%s", object
			object = ""
		}
		/^unreferenced object/ { flush() }
		{ object = object $0 "\n" }
		END { flush() }' /sys/kernel/debug/kmemleak
}

# no_leaks NAME: nothing of cxlmem has leaked since the VM was booted. No test where
# kmemleak is off, as it is in the short runs.
no_leaks() {
	! grep -q kmemleak=on /proc/cmdline || is "$(leaks | head -n 40)" "" "$1"
}

# enter_cma on|off: mode "cma" with that lend, and all of its memory online.
enter_cma() {
	local block
	attr lend "$1" && attr mode cma || return
	for block in $(blocks); do
		[ "$(cat "$block/state")" = online ] || echo online_movable >"$block/state" || return
	done
}

# Pages that the OS has on the node of cxlmem0 or could take there, free or not.
pages_of_os() {
	awk -v node="$(attr node)," '$1 == "Node" { here = $2 == node }
		here && $1 == "managed" { n += $2 } END { print n + 0 }' /proc/zoneinfo
}
