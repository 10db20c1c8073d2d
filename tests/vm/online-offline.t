#!/bin/bash
# The main job: a CXL function that no firmware set up becomes a far node, a
# program fills it, and it is taken back under the running program.
# machine: type3
# size: 512M

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
iomem=$(cat /proc/iomem)

run_ok cxlmemctl bind "$fn"
measure_device
is "$(attr mode)" offline "bound, and nobody uses the memory"
is "$(attr source)" driver "the driver has committed the decoder"
like "$(hdm "$fn" show)" "^committed base $(attr start) size $(printf 0x%x $((mib << 20)))" "the device agrees"
like "$(cat /proc/iomem)" "cxlmem0" "the range is claimed"

run_ok cxlmemctl online cxlmem0
node=$(attr node)
is "$(mib_of "$node" MemTotal)" "$mib" "node $node has all of the memory"
is "$(zones)" Movable "all of it is in ZONE_MOVABLE"
like "$(numactl -H)" "node $node size: $mib MB" "numactl sees the far node"
like "$(cxlmemctl list)" "cxlmem0 .*system" "list shows the mode"

start_pattern "$node" "$full" -w
ok "$([ "$(resident "$pattern" "$node")" -ge "$full" ]; echo $?)" "a program has $full MiB on the node"

run_ok cxlmemctl offline cxlmem0
intact $pattern "the program's data is intact"
is "$(resident "$pattern" "$node")" 0 "none of it is on the node any more"
is "$(attr mode)" offline "the mode is offline"
ok "$([ ! -e "/sys/devices/system/node/node$node/meminfo" ] ||
	[ "$(mib_of "$node" MemTotal)" = 0 ]; echo $?)" "the node is gone"
stop_pattern $pattern

run_ok cxlmemctl unbind cxlmem0
is "$(cat /proc/iomem)" "$iomem" "/proc/iomem is as it was"
like "$(hdm "$fn" show)" "^open" "the decoder is open again"

done_testing
