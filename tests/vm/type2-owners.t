#!/bin/bash
# A Type-2 function and its memory have one owner: whoever comes second is refused, hears
# who has it, and has changed nothing.
# machine: type2
# check: 6.12

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
function=/sys/bus/pci/devices/$fn
driver() { basename "$(readlink "$function/driver")"; }
# bind_to DRIVER: another one, as its user would have it.
bind_to() {
	echo "$1" >"$function/driver_override"
	bash -c "echo $fn >/sys/bus/pci/drivers/$1/bind" 2>&1
}

bind_device "$fn"
range=$(attr start)+$(attr size)
cxlmemctl online cxlmem0 >/dev/null
start_pattern "$(attr node)" 64 -w

modprobe pci-stub
like "$(bind_to pci-stub)" "busy|No such device" "a second driver does not get the function"
like "$(bind_to cxlmem_sample)" "No such file" "nor one that is not there"
echo cxlmem_pci >"$function/driver_override"
is "$(driver) $(attr mode)" "cxlmem_pci system" "it stays with the first, and in use"
fails_with 1 'held by "System RAM .cxlmem.*"' cxlmemctl bind "$(attr start)+$(($(attr size) / 2))"
intact "$pattern" "data is intact"
stop_pattern "$pattern"
run_ok cxlmemctl unbind cxlmem0

# Its memory is somebody else's: of the range, with no function to it.
iomem=$(cat /proc/iomem)
run_ok cxlmemctl bind "$range"
fails_with 1 "does not take $fn" cxlmemctl bind "$fn"
like "$(dmesg)" "$fn: .*(held|taken|in use)" "the log says what is in the way"
is "$(driver)" "" "the function has no driver, as before"
is "$(basename "$(realpath $SYS/device/driver)")" cxlmem_range "the range stays where it was"
run_ok cxlmemctl unbind cxlmem0
is "$(cat /proc/iomem)" "$iomem" "nothing is left behind"

# The firmware has set the memory aside, so the kernel's own driver for that takes it too,
# be it loaded first or last.
echo online_movable >/sys/devices/system/memory/auto_online_blocks
modprobe -a dax_hmem device_dax kmem
wait_for 20 eval '[ "$(mib_of 1 MemTotal)" -gt 0 ]'
fails_with 1 "does not take $fn" cxlmemctl bind "$fn"
like "$(dmesg)" "$fn: .*overlaps System RAM" "the log says that the memory is in use"
like "$(cxlmemctl doctor)" "dax0.0" "the doctor tells by whom"
run_ok cxlmemctl offline dax0.0
echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind
rmmod dax_hmem
run_ok cxlmemctl bind "$fn"
modprobe dax_hmem
ok "$([ ! -e /sys/bus/dax/devices/dax0.0/driver ]; echo $?)" "when it comes later it gets nothing"
is "$(attr mode)" offline "and changes nothing"
run_ok cxlmemctl unbind cxlmem0

# The vendor's driver has it, and hands its memory out by cxlmem.
echo >"$function/driver_override"
modprobe cxlmem_sample
wait_for 10 test -e $SYS
fails_with 1 "memory of $fn is cxlmem0 already, by the function's own driver cxlmem_sample" cxlmemctl bind "$fn"
is "$(driver)" cxlmem_sample "it stays with its vendor's driver"
run_ok cxlmemctl mode cxlmem0 driver
rmmod cxlmem_sample
run_ok cxlmemctl bind "$fn"
is "$(driver)" cxlmem_pci "the function goes to cxlmem_pci when the other is gone"

done_testing
