#!/bin/bash
# Every request of /dev/cxlmem0 with arguments that are wrong, in the wrong mode,
# from the wrong user, and after the device has gone.
# machine: type3
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

bind_device
like "$(onboard info)" "flags=0 capacity=0 used=0" "there is nothing to hand out in mode offline"
like "$(onboard hold -n 1 2>&1 & sleep 1; kill %1)" "error=EBUSY done=0 moved=0" "and nothing moves there"
attr mode driver
run_ok onboard arguments
is "$(stat -c %a /dev/cxlmem0)" 660 "the device file is for root and a group"
fails_with 1 "Permission denied" setpriv --reuid 1000 --regid 1000 --clear-groups onboard info
chgrp 1000 /dev/cxlmem0
run_ok setpriv --reuid 1000 --regid 1000 --clear-groups onboard info

# Somebody has it open while it goes.
onboard hold -w 32 >/tmp/holder &
holder=$!
wait_for 60 grep -q ready /tmp/holder
fn=$(cxl_function)
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
ok "$([ ! -e $SYS ] && [ ! -e /dev/cxlmem0 ]; echo $?)" "unbound while a process has it open"
kill -USR2 $holder
wait $holder
like "$(cat /tmp/holder)" "ready" "it held on until it asked the device that is gone"
is "$(grep -c cxlmem /proc/iomem)" 0 "the range is free"
rmmod cxlmem_pci cxlmem_core
ok $? "and so are the modules"

done_testing
