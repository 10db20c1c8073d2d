#!/bin/bash
# A range that the firmware's tables describe: right node, distance, latency,
# and a memory tier below DRAM's.
# check: 6.12
# machine: soft

. /cxlmem/tests/vm/cxlmem.sh

read -r start size < <(soft_reserved)
range=$start+${size}M

run_ok cxlmemctl bind "$range"
measure_device
is "$(attr source)" soft-reserved "the range is soft-reserved"
is "$(attr node)" 1 "the node is the one of the SRAT"
run_ok cxlmemctl online cxlmem0
is "$(mib_of 1 MemTotal)" "$mib" "the node has all of the memory"
is "$(zones)" Movable "all of it is in ZONE_MOVABLE"

list=$(cxlmemctl list --output-all)
diag "$list"
read -r distance latency tier < <(cxlmemctl list --json | python3 -I -S -c "
import json, sys
device = json.load(sys.stdin)['devices'][0]
print(*(device.get(key) for key in ('distance', 'read_latency_ns', 'tier')))")
is "$distance" 40 "list shows the SLIT's distance"
like "$latency" "^400" "list shows the HMAT's latency"
dram=$(basename "$(dirname "$(grep -lx 0 /sys/devices/virtual/memory_tiering/*/nodelist)")")
far=$(basename "$(dirname "$(grep -lx 1 /sys/devices/virtual/memory_tiering/*/nodelist)")")
ok "$([ "${far#memory_tier}" -gt "${dram#memory_tier}" ]; echo $?)" "tier $far is below DRAM's $dram"
like "$tier" "${far#memory_tier}" "list shows the tier"

start_pattern 1 $((mib / 4)) -w
run_ok cxlmemctl offline cxlmem0
intact $pattern "data is intact after offline"
stop_pattern $pattern
run_ok cxlmemctl unbind cxlmem0
ok "$([ ! -e $SYS ]; echo $?)" "the device is gone"
like "$(ls /sys/bus/platform/devices)" "" "no platform device is left"

# Ranges that cannot be had.
start=${range%+*}
fails_with 1 "Soft Reserved|System RAM" cxlmemctl bind 0x10000000+256M
fails_with 1 "Soft Reserved" cxlmemctl bind "$start+8G"
fails_with 1 "page" cxlmemctl bind "$(printf 0x%x $((start + 512)))+128M"
fails_with '1|2' "node" cxlmemctl bind "$range" --node 7
fails_with '1|2' "node 0 has CPUs|near memory" cxlmemctl bind "$range" --node 0
fails_with 2 "" cxlmemctl bind "$start+banana"
fails_with 2 "" cxlmemctl bind "$start+99999999999999T"
modprobe cxlmem_range
for words in "0x1$(printf %016x "$start") $((mib << 20))" "$start $((mib << 20)) 4294967297" \
	"$start $((mib << 20)) 1 1" "-1 4096" "$start"; do
	fails_with 1 "Invalid argument" bash -c "echo '$words' >/sys/bus/platform/drivers/cxlmem_range/new_range"
done
ok "$([ ! -e $SYS ]; echo $?)" "nothing was bound by any of them"

# A range not aligned to memory blocks: what is trimmed is said.
run_ok cxlmemctl bind "$(printf 0x%x $((start + (16 << 20))))+$((mib - 16))M"
is "$(attr usable_size)" $(((mib - 128) << 20)) "only whole memory blocks are used"
like "$(cxlmemctl list -v 2>&1; dmesg)" "whole memory blocks" "and that is said"
run_ok cxlmemctl online cxlmem0
is "$(mib_of 1 MemTotal)" $((mib - 128)) "the node has just those"
fails_with 1 "held|taken|cxlmem0" cxlmemctl bind "$range"
run_ok cxlmemctl unbind cxlmem0

# Too small for a memory block (pmem/ndctl 243: "Invalid argument").
run_ok cxlmemctl bind "$start+64M"
fails_with 1 "no whole memory block" cxlmemctl online cxlmem0
is "$(attr mode)" offline "the mode is as before"
run_ok cxlmemctl unbind cxlmem0

# Garbage in the module's parameter: nothing is taken.
rmmod cxlmem_range
for garbage in x 1G+ "$range,oops" "$range@" "$range@1x" "+1G" ",$range"; do
	fails_with 1 "" modprobe cxlmem_range "ranges=$garbage"
	ok "$([ ! -e $SYS ]; echo $?)" "ranges=$garbage takes nothing"
done
run_ok modprobe cxlmem_range "ranges=$range@1"
is "$(attr mode)" offline "a good parameter is taken"

done_testing
