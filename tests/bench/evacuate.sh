#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# evacuate.sh [MIB [ROUNDS [SETS...]]]: how long does it take to take a device's
# memory off line with so much data on it? `cxlmemctl offline` against a shell loop
# over the state files of the same memory blocks, and against `daxctl offline-memory`
# of the same device under kmem; all of it in ZONE_MOVABLE. Sets of data:
#
#	huge	a process with huge pages
#	small	a process with pages of 4 KiB
#	mix	a third each of both, and of a file in a tmpfs that nobody has mapped
#	stall	as small; a process that writes to its own 32 MiB there all the time
#		tells the longest time that a write took. It wants a CPU, too, so
#		these are not the times of the others.
#
# One memcpy() of the same size, in one thread, is there to compare with.
# machine: type3
# size: 768M
# cpus: 2 1

. /cxlmem/tests/bench/bench.sh

mib=${1:-512} rounds=${2:-5}
sets=("${@:3}")
[ $# -gt 2 ] || sets=(huge small mix stall)
fn=$(lspci -Dn -d ::0502 | awk '{ print $1; exit }')
node=1
echo online_movable >/sys/devices/system/memory/auto_online_blocks
modprobe -a cxl_acpi cxl_pci cxl_mem cxl_port dax_cxl device_dax kmem
mount -t tmpfs -o "size=100%,huge=never" tmpfs /mnt
declare -A times stalls

quietly() { "$@" >/tmp/quiet 2>&1 || { cat /tmp/quiet; echo "failed: $*"; exit 1; }; }

start() {
	local out
	out=$(mktemp)
	"$@" >"$out" &
	until grep -q ready "$out"; do sleep 0.1; done
	started=$! said=$out
}

# The data is on the host between two measurements.
set_up() {
	programs=()
	case $1 in
	huge) start pattern -h "$mib"; programs=("$started") ;;
	small) start pattern -s "$mib"; programs=("$started") ;;
	mix)
		start pattern -h $((mib / 3)); programs=("$started")
		start pattern -s $((mib / 3)); programs+=("$started")
		;;
	stall)
		start pattern -s $((mib - 32)); programs=("$started")
		start stall small 32; programs+=("$started") victim=$started victim_said=$said
		;;
	esac
}

put_there() {
	local program
	for program in "${programs[@]}"; do quietly migratepages "$program" 0 $node; done
	[ "$1" != mix ] || quietly numactl --membind $node dd if=/dev/zero of=/mnt/file bs=1M count=$((mib / 3))
}

with_cxlmem() {
	quietly cxlmemctl bind "$fn"
	quietly cxlmemctl online cxlmem0
}
without_cxlmem() { quietly cxlmemctl unbind cxlmem0; }
with_kmem() {
	for _ in $(seq 100); do
		cxl create-region -t ram -d decoder0.0 -m "$(cxl list -M | sed -n 's/.*"memdev":"\(mem[0-9]*\)".*/\1/p')" >/dev/null 2>&1 && break
		sleep 0.1
	done
	# The kernel puts it on line by itself, a moment later.
	for _ in $(seq 100); do
		daxctl list 2>/dev/null | grep -q '"movable":true' && return
		sleep 0.1
	done
	echo "no movable memory under kmem"
	exit 1
}
without_kmem() {
	# daxctl would make it devdax, which it would then be the next time, too.
	echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind
	cxl disable-region all >/dev/null 2>&1
	cxl destroy-region -f all >/dev/null 2>&1
}

cxlmem() { cxlmemctl offline cxlmem0; }
shell_loop() {
	local block
	for block in "/sys/devices/system/node/node$node"/memory[0-9]*; do
		echo offline >"$block/state" || return
	done
}
daxctl_offline() { daxctl offline-memory dax0.0; }

# measure SET NAME COMMAND
measure() {
	local began took lines
	put_there "$1"
	sleep 0.2
	if [ "$1" = stall ]; then
		lines=$(wc -l <"$victim_said")
		kill -USR1 "$victim"
		until [ "$(wc -l <"$victim_said")" -gt "$lines" ]; do sleep 0.05; done
	fi
	began=$(date +%s%N)
	quietly "$3"
	took=$((($(date +%s%N) - began) / 1000))
	[ "$round" = 0 ] || times[$1 $2]+="$took "
	[ "$1" = stall ] || return
	lines=$(wc -l <"$victim_said")
	kill -USR1 "$victim"
	until [ "$(wc -l <"$victim_said")" -gt "$lines" ]; do sleep 0.05; done
	[ "$round" = 0 ] || stalls[$2]+="$(tail -n 1 "$victim_said") "
}

ms() { tr ' ' '\n' <<<"${1% }" | awk '{ print $1 / 1000 }' | spread; }

for set in "${sets[@]}"; do
	set_up "$set"
	for ((round = 0; round <= rounds; round++)); do
		with_cxlmem
		measure "$set" cxlmemctl cxlmem
		quietly cxlmemctl online cxlmem0
		measure "$set" shell shell_loop
		without_cxlmem
		with_kmem
		measure "$set" daxctl daxctl_offline
		without_kmem
		read -r copy _ < <(move copy small "$mib" 0) || copy=0
		[ "$round" = 0 ] || times[$set memcpy]+="$((${copy%.*} * 1000)) "
	done
	kill "${programs[@]}"
	wait 2>/dev/null
	rm -f /mnt/file
done

echo "$mib MiB, $rounds rounds, $(nproc) CPUs; time, and cxlmemctl's share of it by round:"
for set in "${sets[@]}"; do
	for name in cxlmemctl shell daxctl memcpy; do
		printf '%-6s %-10s ms: %s   cxlmemctl takes: %s of it\n' "$set" $name \
			"$(ms "${times[$set $name]}")" \
			"$(paste <(tr ' ' '\n' <<<"${times[$set cxlmemctl]% }") \
				<(tr ' ' '\n' <<<"${times[$set $name]% }") |
				awk '$2 { print $1 / $2 }' | spread)"
	done
done
for name in "${!stalls[@]}"; do
	printf 'longest stall, %-10s ms: %s\n' "$name" "$(ms "${stalls[$name]}")"
done
