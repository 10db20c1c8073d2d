#!/bin/bash
# A Type-2 function that the kernel's CXL core knows as well, by its API for the drivers
# of accelerators; and the same function without.
# machine: type2-cxl
# kernels: 7.2
# timeout: 300

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
read -r _ base size _ <<<"$(model 0 status | head -n 1)"
listed() { cxl list "$@" 2>/dev/null; }
# value KEY OPTION...: the first one of that name in what `cxl list` says.
value() {
	local key=$1
	shift
	listed "$@" | sed -n "s/.*\"$key\":\"*\([^\",]*\).*/\1/p" | head -n 1
}
works() {
	run_ok cxlmemctl online cxlmem0
	is "$(t2run "$fn" "$(attr node)" physical ping-pong)" "physical ok
ping-pong ok" "the engine works on the memory"
	start_pattern "$(attr node)" 64 -w
	run_ok cxlmemctl offline cxlmem0
	intact $pattern "a program's data is intact after offline"
	stop_pattern $pattern
}

# Nobody has loaded the core's drivers.
run_ok cxlmemctl bind "$fn"
like "$(dmesg)" "$fn: not known to the kernel's CXL core, which cannot take it" "without cxl_acpi the core knows nothing"
is "$(listed -M)" "[]" "cxl list has nothing"
works
run_ok cxlmemctl unbind cxlmem0

like "$(hdm bridge commit "$base" "$size")" "^committed" "the firmware programs the host bridge"
modprobe cxl_acpi
wait_for 10 test -e /sys/bus/cxl/devices/root0
dmesg -C
bind_device "$fn"
like "$(dmesg)" "$fn: known to the kernel's CXL core" "the core takes it"
diag "$(listed -MREDv)"
is "$(value host -M)" "$fn" "cxl list has it as a memory device"
is "$(($(value resource -R))) $(($(value size -R)))" "$((base)) $((size))" "and its region"
is "$(value decode_state -R)" commit "which is committed"
is "$(ls /sys/bus/dax/devices 2>/dev/null)" "" "nobody makes a dax device of it"
like "$(cat /proc/iomem)" "region0
[ ]+$(printf %x $((base)))-[0-9a-f]+ : cxlmem0" "the memory is ours, in the region"
is "$(attr source)" firmware "found by the firmware's decoder"
works

# The core loses the way to it: that unbinds the function, whose memory is evacuated.
run_ok cxlmemctl online cxlmem0
start_pattern "$(attr node)" 64 -w
value memdev -M >/sys/bus/cxl/drivers/cxl_mem/unbind
wait_for 30 test ! -e $SYS
ok $? "unbound from the core, it is unbound from cxlmem"
intact $pattern "a program's data is intact"
stop_pattern $pattern
wait_for 10 test ! -e "/sys/bus/pci/devices/$fn/driver"
like "$(model 0 status | head -n 1)" "committed" "its decoder is left alone"
is "$(grep -cE "cxlmem|region" /proc/iomem)" 0 "the range is free"

# A fatal error resets it, and the core knows it still.
bind_device "$fn"
run_ok cxlmemctl online cxlmem0
run_ok model 0 error fatal
report_error 0 fatal
wait_for 30 eval '[[ $(attr device_error) = *recovered ]]'
is "$(value host -M) $(value decode_state -R)" "$fn commit" "after a fatal error it is there still"
works

run_ok cxlmemctl unbind cxlmem0
is "$(listed -M)" "[]" "after unbind it is not"
echo N >/sys/module/cxlmem_pci/parameters/cxl_core
bind_device "$fn"
like "$(dmesg)" "not made known to the kernel's CXL core, by the parameter cxl_core" "it can be kept from the core"
is "$(listed -M)" "[]" "which knows nothing of it then"
works
run_ok cxlmemctl unbind cxlmem0
rmmod cxlmem_pci cxlmem_core
ok $? "the driver goes"

done_testing
