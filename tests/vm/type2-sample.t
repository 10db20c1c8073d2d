#!/bin/bash
# The driver to copy from: programs give the engine work on their own memory, which the
# kernel and the engine change under each other, and never see a stale page.
# machine: type2
# timeout: 300
# check: 7.2

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
modprobe cxlmem_sample
wait_for 10 test -e /dev/t2sample0
is "$(basename "$(realpath "/sys/bus/pci/devices/$fn/driver")")" cxlmem_sample "the driver takes the function"
export T2CONTROL
T2CONTROL=$(port t2control0)
parameter=/sys/module/cxlmem_sample/parameters

# client CHECK...: each says that it is ok.
client() {
	is "$(t2client "$@" 2>&1)" "$(printf '%s ok\n' "$@")" "the client's checks: $*"
}

# start_client CHECK: one that says when it is ready, and wants to hear when to go on.
start_client() {
	local line
	coproc t2client "$1" 2>&1
	# Bash forgets about a coprocess as soon as it ends.
	client=$COPROC_PID
	exec {from_client}<&"${COPROC[0]}" {to_client}>&"${COPROC[1]}"
	read -r line <&"$from_client"
	is "$line" ready "a program is at work: $1"
}
# end_client CHECK NAME
end_client() {
	local line
	echo >&"$to_client"
	read -r line <&"$from_client"
	is "$line" "$1 ok" "$2"
	exec {from_client}<&- {to_client}>&-
	wait "$client" 2>/dev/null
}

# Before the device's memory is in use at all.
client work munmap mremap mprotect fork exit exec huge collapse
if modprobe zram 2>/dev/null; then
	echo 64M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null
	swapon /dev/zram0
	client swap
	swapoff /dev/zram0
else
	skip "the client's check: swap" "this kernel has nothing to swap to"
fi
echo 1 >"$parameter/lock_limit"
client locked
echo 64 >"$parameter/lock_limit"

run_ok cxlmemctl mode cxlmem0 driver
client hot work munmap mremap mprotect fork exit
echo 1000 >"$parameter/hot_wait"
client damping
echo 1 >"$parameter/hot_wait"

start_client switch
for mode in offline system driver cma offline driver system cma driver; do
	use_mode $mode
	# In mode driver the engine asks for the pages; here they are sent to it.
	case $mode in
	system | cma)
		migratepages "$client" 0 "$(attr node)"
		ok "$([ "$(resident "$client" "$(attr node)")" -gt 0 ]; echo $?)" "what it works on is on the device"
		;;
	esac
done
end_client switch "modes were switched under it, and no job has failed"

start_client loss
echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/unbind
ok "$([ ! -e /dev/t2sample0 ]; echo $?)" "the card is gone"
end_client loss "the card was unbound in the middle, and nothing is lost"

echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/bind
run_ok cxlmemctl mode cxlmem0 driver
start_client loss
run_ok model 0 stick
end_client loss "the engine hangs, and nothing is lost"
like "$(dmesg)" "the engine does not stop, the function is reset" "the driver has reset it"
echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/unbind
echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/bind
client work

run_ok cxlmemctl mode cxlmem0 driver
start_client loss
run_ok model 0 error fatal
report_error 0 fatal
end_client loss "after a fatal error the function is reset, and nothing is lost"
wait_for 20 eval '[[ $(attr device_error) = *recovered ]]'
like "$(attr device_error)" "^fatal PCIe error; the memory was evacuated, it was in mode driver" "the driver says so"
echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/unbind
echo "$fn" >/sys/bus/pci/drivers/cxlmem_sample/bind
client work

rmmod cxlmem_sample
ok $? "the driver goes"

done_testing
