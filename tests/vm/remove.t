#!/bin/bash
# The device goes while the node is full or in use: by unbind, rmmod and hot-unplug.
# What a pin keeps in place stays, owned, until the next probe adopts it.
# machine: type3
# memory: 3G

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
# A stock driver has claims of its own.
[ ! -e "/sys/bus/pci/devices/$fn/driver" ] || echo "$fn" >"/sys/bus/pci/devices/$fn/driver/unbind"
iomem=$(cat /proc/iomem)

fill() {
	cxlmemctl online cxlmem0 >/dev/null && start_pattern 1 "$1" -w
}
gone() {
	ok "$([ ! -e $SYS ]; echo $?)" "the device is gone after $1"
	intact "$pattern" "data is intact after $1"
	stop_pattern "$pattern"
}

bind_device
fill "$full"
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
gone unbind
is "$(cat /proc/iomem)" "$iomem" "the range is free"

echo "$fn" >/sys/bus/pci/drivers_probe
fill $((mib / 4))
rmmod cxlmem_pci
gone rmmod

# A page with unfinished I/O holds on: the memory stays online and owned.
timeout=/sys/module/cxlmem_core/parameters/remove_timeout
patience=$(cat $timeout)
echo 3 >$timeout
modprobe cxlmem_pci
bind_device
cxlmemctl online cxlmem0 >/dev/null
numactl --membind 1 pin 16 >/tmp/pin &
wait_for 10 test -s /tmp/pin
start_pattern 1 $((mib / 8))
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
ok "$([ ! -e $SYS ]; echo $?)" "unbound in spite of a pinned page"
is "$(mib_of 1 MemTotal)" "$mib" "the memory stays online"
like "$(cat /proc/iomem)" "System RAM .cxlmem." "and is owned"
like "$(hdm "$fn" show)" "^committed" "and the device goes on decoding it"
intact "$pattern" "data is intact"
like "$(dmesg)" "stay in mode system without a driver until it is bound again" "the log says so"
fails_with 1 "in use|temporarily unavailable" rmmod cxlmem_pci cxlmem_core
last=$(ls -dv /sys/devices/system/memory/memory* | tail -n 1)
echo offline >"$last/state"
fails_with 1 "write error" bash -c "echo online_kernel >$last/state"
echo online_movable >"$last/state"
is "$(cat "$last/valid_zones")" Movable "the guard still stands"
modprobe cxlmem_pci
run_ok cxlmemctl bind "$fn"
is "$(attr mode) $(attr source)" "system driver" "the next probe adopts it"
is "$(blocks_in_state online)" "$nblocks" "with all its blocks"
kill "$(cat /tmp/pin)"
run_ok cxlmemctl offline cxlmem0
intact "$pattern" "data is intact after the adopted memory went offline"
stop_pattern "$pattern"

# Hot-unplug: the slot's button, 5 s, and then the function is gone.
echo "$patience" >$timeout
fill $((mib / 8))
monitor device_del mem0
ok $? "QEMU takes the device out"
wait_for 30 test ! -e "/sys/bus/pci/devices/$fn"
gone device_del
is "$(grep -c cxlmem /proc/iomem)" 0 "the range is free"

done_testing
