#!/bin/bash
# Memory that the kernel's own drivers hold: it is listed, and can be onlined
# and evacuated; it is not taken away while it is in use.
# machine: soft
# cpus: 1
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

read -r start size < <(soft_reserved)
range=$start+${size}M
echo online_movable >/sys/devices/system/memory/auto_online_blocks
modprobe -a dax_hmem device_dax kmem
wait_for 20 eval 'ls /sys/bus/dax/devices | grep -q dax'
dax=$(ls /sys/bus/dax/devices | head -n 1)
daxctl reconfigure-device -m system-ram --no-online "$dax" >/dev/null 2>&1
wait_for 20 eval '[ "$(mib_of 1 MemTotal)" -gt 0 ]'

like "$(cxlmemctl list)" "$dax .*system" "list shows the dax device"
fails_with 1 "$dax|hmem|kmem" cxlmemctl bind "$range"
ok "$([ ! -e $SYS ]; echo $?)" "its range is not taken away"
like "$(cxlmemctl doctor)" "$dax|hmem" "doctor tells who holds the range"

numactl --membind 1 pattern $(($(mib_of 1 MemTotal) * 6 / 10)) >/tmp/stock &
pattern=$!
wait_for 60 grep -q ready /tmp/stock
mv /tmp/stock /tmp/pattern.$pattern
run_ok cxlmemctl offline "$dax"
intact $pattern "data is intact after $dax went offline"
is "$(mib_of 1 MemTotal)" 0 "its node is empty"
stop_pattern $pattern
run_ok cxlmemctl bind "$dax"
is "$(attr source)" soft-reserved "the range can be taken then"
run_ok cxlmemctl online cxlmem0
is "$(zones)" Movable "and goes online"

done_testing
