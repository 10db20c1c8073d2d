#!/bin/bash
# Pages of the device that others hold: I/O straight to and from a disk stays where
# they are, long pins move them off first, and a page that cannot be moved delays
# leaving the mode until it can, or is named.
# check: 6.12
# machine: type3
# qemu: -drive if=none,id=disk,format=raw,snapshot=on,file=/usr/bin/qemu-system-x86_64 -device nvme,serial=1,drive=disk,bus=pcie.0
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

modprobe nvme
bind_device
attr mode driver
wait_for 20 test -b /dev/nvme0n1
run_ok onboard direct
run_ok onboard longterm
is "$(attr pages/used)" 0 "the device is empty"

# Pages in a pipe cannot be moved.
echo 2 >/sys/module/cxlmem_core/parameters/pin_timeout
start_program onboard hold -p 16 64
fails_with 1 "write error" bash -c "echo offline >$SYS/mode"
like "$(attr last_error)" "^16 pages cannot be moved, .*the first is at 0x[0-9a-f]+, of user 0 " "who does not let go is named"
is "$(attr mode) $(attr pages/used)" "driver 65536" "the mode goes on with what could not be moved"
intact "$pattern" "data is intact"
start_program onboard hold 32
other=$pattern
ok $? "others can use the device meanwhile"
stop_pattern "$other"
pinned=$(pgrep onboard)

echo 60 >/sys/module/cxlmem_core/parameters/pin_timeout
bash -c "echo offline >$SYS/mode" &
writer=$!
sleep 1
ok "$(kill -0 $writer; echo $?)" "with more time it waits"
kill -9 "$pinned"
wait "$pinned"
wait $writer
is "$? $(attr mode)" "0 offline" "and completes when the page is let go"

# A device that goes leaves its memory to the next probe if a page holds on.
fn=$(cxl_function)
echo 2 >/sys/module/cxlmem_core/parameters/remove_timeout
attr mode driver
start_program onboard hold -p 16 64
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
ok "$([ ! -e $SYS ]; echo $?)" "unbound in spite of a pinned page"
like "$(cat /proc/iomem)" "cxlmem0" "the range is still owned"
intact "$pattern" "data is intact"
fails_with 1 "in use|temporarily unavailable" rmmod cxlmem_pci cxlmem_core
modprobe cxlmem_pci
echo cxlmem_pci >"/sys/bus/pci/devices/$fn/driver_override"
echo "$fn" >/sys/bus/pci/drivers_probe
is "$(attr mode) $(attr pages/used)" "driver 65536" "the next probe adopts it"
intact "$pattern" "data is intact"
kill -9 "$pattern"
wait "$pattern"
run_ok attr mode offline

done_testing
