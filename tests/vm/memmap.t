#!/bin/bash
# The memory map on the device's own memory.
# check: 7.2
# machine: type3
# cpus: 1
# append: memory_hotplug.memmap_on_memory=1

. /cxlmem/tests/vm/cxlmem.sh

bind_device
is "$(attr memmap_on_memory)" 1 "is the default where the kernel supports it"
run_ok cxlmemctl online cxlmem0
is "$(mib_of 1 MemTotal)" $((mib - mib / 64)) "a 64th of it pays for itself"
is "$(zones)" Movable "all of it is in ZONE_MOVABLE"
start_pattern 1 "$full" -w
run_ok cxlmemctl offline cxlmem0
intact $pattern "data is intact after offline"
stop_pattern $pattern

run_ok cxlmemctl online cxlmem0 --memmap off
is "$(mib_of 1 MemTotal)" "$mib" "off on request: the host pays"
run_ok cxlmemctl offline cxlmem0

done_testing
