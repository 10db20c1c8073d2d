#!/bin/bash
# What users reported against the stock tools, and what cxlmem does instead.
# machine: type3
# cpus: 1
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

echo online >/sys/devices/system/memory/auto_online_blocks
bind_device

# pmem/ndctl 246: "kernel policy will auto-online memory, aborting".
run_ok cxlmemctl online cxlmem0
is "$(zones)" Movable "the auto-online policy does not get in the way (pmem/ndctl 246)"

# pmem/ndctl 256: the mode cannot be left (EBUSY) because the auto-onlined
# memory took unmovable allocations. Try to get some there.
mkdir -p /tmp/dentries
start_pattern 1 100
for i in {1..2000}; do : >"/tmp/dentries/$i"; done
run_ok cxlmemctl offline cxlmem0
intact $pattern "the mode can be left after kernel allocations (pmem/ndctl 256)"

# If the owner asked for a kernel zone, the refusal names block and pages.
cxlmemctl online cxlmem0 --zone kernel >/dev/null 2>&1
for i in {1..4000}; do : >"/tmp/dentries/x$i"; done
numactl --membind 1 find /sys /cxlmem >/dev/null 2>&1
out=$(cxlmemctl offline cxlmem0 2>&1)
is $? 1 "memory with kernel allocations cannot be taken back"
diag "$out"
like "$out" "memory block 1[12][0-9]" "the refusal names the memory block"
like "$out" "unmovable|slab|page table|kernel" "and what kind of page is in the way"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "and everything is as it was"

done_testing
