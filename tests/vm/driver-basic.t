#!/bin/bash
# Mode "driver": memory goes to the device and back, and nothing is lost.
# machine: type3
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
like "$(attr modes)" driver "the mode is on offer"
attr mode driver
is "$(attr mode)" driver "and can be entered"
is "$(attr pages/capacity) $(attr pages/used)" "$((mib << 20)) 0" "all of it is free"
like "$(onboard info)" "flags=1 capacity=$((mib << 20)) used=0 " "/dev/cxlmem0 says so, too"
for name in small huge create; do
	run_ok onboard $name
	is "$(attr pages/used)" 0 "the device is empty after the process has gone"
done
# What compaction has in hand at the moment is waited for.
while echo 1 >/proc/sys/vm/compact_memory; do sleep 0.05; done &
run_ok onboard small
kill $!
wait $! 2>/dev/null
like "$(cat /proc/vmstat)" "compact_isolated [1-9]" "compaction was at work meanwhile"
run_ok attr mode offline
is "$(attr pages/capacity)" 0 "no pages in mode offline"

done_testing
