#!/bin/bash
# A udev rule that is faster than the tool (pmem/ndctl 171, 291, 294): the tool
# says what is, and the device can be probed again.
# machine: type3
# cpus: 2
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
echo online_movable >/sys/devices/system/memory/auto_online_blocks
bind_device
out=$(cxlmemctl online cxlmem0 2>&1)
is $? 0 "online succeeds although the kernel was faster (171, 291)"
diag "$out"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "and it is online"
out=$(cxlmemctl online cxlmem0 2>&1)
is $? 0 "so does a second online"
like "$out" "already" "which says that it is already"
run_ok cxlmemctl unbind cxlmem0
run_ok cxlmemctl bind "$fn"
run_ok cxlmemctl online cxlmem0
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "a device can be probed again (294)"

done_testing
