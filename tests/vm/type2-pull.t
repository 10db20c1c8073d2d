#!/bin/bash
# A Type-2 function is pulled out, without notice, in each mode: nothing of the kernel's
# is left behind, and one that is plugged in later works.
# machine: type2
# check: 7.2

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
port=$(dirname "$(realpath "/sys/bus/pci/devices/$fn")")

# pull: what the hotplug driver does when the slot is empty.
pull() {
	run_ok model 0 link down
	dmesg -C
	echo 1 >"/sys/bus/pci/devices/$fn/remove"
	ok "$([ ! -e $SYS ]; echo $?)" "the card is gone, the memory was in mode $1"
	like "$(dmesg)" "$fn: the card is gone without notice" "the log says so"
	is "$(cxlmemctl list -n)" "" "the tool has nothing to list"
}
plug_in() {
	run_ok model 0 link up
	echo 1 >"$port/rescan"
	wait_for 10 test -e "/sys/bus/pci/devices/$fn"
	bind_device "$fn"
}

bind_device "$fn"
pull offline
is "$(grep -c cxlmem /proc/iomem)" 0 "the range is free"
for mode in system driver cma; do
	plug_in
	use_mode $mode
	start_user $mode 16 -w
	pull $mode
	is "$(grep -c cxlmem /proc/iomem)" 0 "the range is free"
	intact "$pattern" "this model's memory survives that, and was evacuated"
	stop_pattern "$pattern"
done

# What is claimed cannot be moved.
plug_in
use_mode cma
start_program claim hold 32
pull cma
like "$(dmesg)" "32 MiB are claimed: 32 MiB by pid $pattern" "the log says who has claims"
kill -USR2 "$pattern"
wait_for 10 grep -q SIGBUS "/tmp/pattern.$pattern"
ok $? "who touches the memory gets SIGBUS"
kill -9 "$pattern"
wait
plug_in
is "$(attr mode)" cma "plugged in again, its memory is adopted"
wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
run_ok attr mode offline
run_ok cxlmemctl online cxlmem0
is "$(t2run "$fn" "$(attr node)" physical)" "physical ok" "plugged in again, it works"
run_ok cxlmemctl offline cxlmem0
run_ok cxlmemctl unbind cxlmem0
rmmod cxlmem_pci
ok $? "the driver goes"

done_testing
