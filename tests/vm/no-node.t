#!/bin/bash
# The firmware names no node for the memory (pmem/ndctl 260).
# machine: soft
# cpus: 1
# append: numa=off
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

range=$(sed -n 's/.*memmap=\([0-9]*M\)%\(0x[0-9a-f]*\)-.*/\2+\1/p' /proc/cmdline)
run_ok cxlmemctl bind "$range"
diag "node $(attr node), possible $(cat /sys/devices/system/node/possible)"
fails_with 1 "node" cxlmemctl online cxlmem0
is "$(attr mode)" offline "nothing has changed"

done_testing
