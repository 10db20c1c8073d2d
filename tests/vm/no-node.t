#!/bin/bash
# The firmware names no node for the memory (pmem/ndctl 260).
# machine: soft
# cpus: 1
# append: numa=off
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

read -r start size < <(soft_reserved)
range=$start+${size}M
run_ok cxlmemctl bind "$range"
diag "node $(attr node), possible $(cat /sys/devices/system/node/possible)"
fails_with 1 "node" cxlmemctl online cxlmem0
is "$(attr mode)" offline "nothing has changed"

done_testing
