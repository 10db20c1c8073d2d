#!/bin/bash
# Garbage written to all that can be written, from several threads at once, does
# no harm: no data is lost, and the devices can be used as before.
# machine: type3
# kernels: debug
# memory: 1G
# append: memmap=128M%0x30000000-1+0xefffffff
# timeout: 200
# check: debug

. /cxlmem/tests/vm/cxlmem.sh

# Moving a process to a node whose memory is just going: stock kernels say that
# there was none to allocate.
expected_log='/fuzz: page allocation failure/,/Call Trace/d'

fn=$(cxl_function)
range="0x30000000 0x8000000"

bind_device
cxlmemctl online cxlmem0 >/dev/null
start_pattern 0 4 -w
modprobe cxlmem_range
# No minute's wait for what somebody else's page holds up.
echo 2 >/sys/module/cxlmem_core/parameters/remove_timeout

# For whenever the mode is "driver": memory that moves in and out.
churn() {
	while [ ! -e /tmp/over ]; do onboard churn 1 "$RANDOM" || sleep 0.1; done
}
churn >/tmp/churn 2>&1 &
churner=$!

diag "$(fuzz -s "${CXLMEM_SEED:-1}" -t "${CXLMEM_SECONDS:-20}" -p "$pattern" /cxlmem/tests/vm/fuzz-corpus "$fn" "$range")"
touch /tmp/over
wait $churner
intact "$pattern" "data is intact"
is "$(grep -E "CORRUPT|is wrong" /tmp/churn)" "" "so is what moved in mode \"driver\""
diag "$(awk '/pages moved/ { n += $3 } END { print n + 0, "pages moved in mode driver" }' /tmp/churn)"

# Whatever it has come to: all is given back.
echo 30 >/sys/module/cxlmem_core/parameters/remove_timeout
run_ok rmmod cxlmem_range cxlmem_pci
modprobe -a cxlmem_pci cxlmem_range
wait_for 20 bind_device
attr mode offline
echo movable >$SYS/zone
echo 1 >$SYS/node
run_ok cxlmemctl online cxlmem0
is "$(blocks_in_state online) $(zones)" "$nblocks Movable" "the device can be used"
migratepages "$pattern" 0 1
run_ok cxlmemctl offline cxlmem0
intact "$pattern" "data is intact"
stop_pattern "$pattern"
run_ok cxlmemctl unbind cxlmem0
no_leaks "nothing has leaked"

done_testing
