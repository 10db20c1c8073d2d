#!/bin/bash
# The device goes while there are claims: what is mapped gives SIGBUS, nothing is freed
# under anybody, and when the last claim has gone all is as before.
# check: 7.2
# machine: type3
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
bind_device
for lend in off on; do
	enter_cma $lend
	start_program claim hold 32
	fails_with 1 "in use" rmmod cxlmem_pci
	fails_with "1|64" "32 MiB are claimed" cxlmemctl unbind cxlmem0
	echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
	ok "$([ ! -e $SYS ]; echo $?)" "unbound by force, lend=$lend"
	like "$(dmesg)" "32 MiB are claimed: 32 MiB by pid $pattern" "the log says who has claims"
	kill -USR2 "$pattern"
	wait_for 10 grep -q SIGBUS "/tmp/pattern.$pattern"
	ok $? "who touches the memory gets SIGBUS"
	like "$(grep -c cxlmem /proc/iomem)" "^[12]" "the range is not given up"
	echo "$fn" >/sys/bus/pci/drivers_probe
	is "$(attr mode) $(attr cma/claimed)" "cma $((32 << 20))" "the next probe finds it, with its claim"
	run_ok claim try 64
	fails_with 1 busy attr mode offline
	kill -9 "$pattern"
	wait
	wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
	ok $? "the claim goes"
	is "$(attr cma/largest)" $((mib << 20)) "all of it is there"
	run_ok attr mode offline
done

# A claim that waits for room is told.
enter_cma off
start_program claim hold 200
holder=$pattern
claim try -w 200 >/tmp/waiting 2>&1 &
waiter=$!
sleep 1
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
wait $waiter
like "$(cat /tmp/waiting)" "error=ENODEV" "who waits for room is told that the device has gone"
kill -9 $holder
wait
echo "$fn" >/sys/bus/pci/drivers_probe
run_ok attr mode offline
run_ok rmmod cxlmem_pci
run_ok rmmod cxlmem_core
done_testing
