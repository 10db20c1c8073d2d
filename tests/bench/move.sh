#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# move.sh [MIB [ROUNDS]]: how long does it take to move a process's memory to a
# device and back? Mode "driver" against move_pages(2) between the host's node and
# the same device in mode "system", and against memcpy() there of the same size. Each
# with pages of 4 KiB and of 2 MiB. The driver moves with a thread for each CPU, as
# it comes, and with one; move_pages with one, and called by two on a half each.
#
# A huge page is 512 small ones on the device and stays that on the way back, see
# driver/migrate.c; move_pages keeps it whole. The device is of the host's own kind
# of memory here, so that neither side waits for anything slower than it.
# machine: soft

. /cxlmem/tests/bench/bench.sh

mib=${1:-256} rounds=${2:-7}
workers=/sys/module/cxlmem_core/parameters/workers
declare -A times

# measure NAME HOW SIZE [NODE]: one way and the other, in a process of its own.
measure() {
	local name=$1 how=$2 size=$3 in out
	read -r in out < <(move "$how" "$size" "$mib" "${4:-}") || exit
	[ "$round" = 0 ] || {
		times["$size in $name"]+="$in "
		times["$size out $name"]+="$out "
	}
}

# switch ARGUMENTS...: the tool's progress is of no interest unless it fails.
switch() { cxlmemctl "$@" >/tmp/switch 2>&1 || { cat /tmp/switch; exit 1; }; }

# ratio WAY NAME TO: how many times as fast, round by round.
ratio() {
	paste <(tr ' ' '\n' <<<"${times[$1 $3]% }") <(tr ' ' '\n' <<<"${times[$1 $2]% }") |
		awk '{ print $1 / $2 }' | spread
}

switch bind "$(sed -n 's/.*memmap=\([0-9]*M\)%\(0x[0-9a-f]*\)-.*/\2+\1/p' /proc/cmdline)"
node=$(cat /sys/class/cxlmem/cxlmem0/node)
# Memory that was never used is given by the machine below at the first touch.
move touch $(($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) * 8 / 10240)) || exit

for ((round = 0; round <= rounds; round++)); do
	switch mode cxlmem0 driver
	for size in small huge; do
		measure driver driver $size
		echo 1 >$workers
		measure driver-1 driver $size
		echo 0 >$workers
	done
	switch online cxlmem0
	for size in small huge; do
		measure move_pages pages $size "$node"
		measure move_pages-2 pages2 $size "$node"
		measure memcpy copy $size "$node"
	done
	switch offline cxlmem0
done

echo "$mib MiB, $rounds rounds, $(nproc) CPUs; how many times as fast, by round:"
for way in "small in" "small out" "huge in" "huge out"; do
	for name in driver driver-1 move_pages move_pages-2 memcpy; do
		printf '%-9s %-12s ms: %s   to move_pages: %s   to memcpy: %s\n' "$way" $name \
			"$(tr ' ' '\n' <<<"${times[$way $name]% }" | spread)" \
			"$(ratio "$way" $name move_pages)" "$(ratio "$way" $name memcpy)"
	done
done
