#!/bin/bash
# Mode "driver" and a host with too little memory: leaving is refused at once with
# the numbers; if memory runs out meanwhile it stops. Nobody is killed.
# check: 6.12
# machine: type3
# memory: 1G
# size: 1G
# debug-size: 1G
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
attr mode driver
# More than the host would promise, but it is on the device.
echo 1 >/proc/sys/vm/overcommit_memory
start_program onboard hold -c "$full"
first=$pattern
ooms=$(grep oom_kill /proc/vmstat)
fails_with 1 "write error" bash -c "echo offline >$SYS/mode"
like "$(attr last_error)" "^[0-9]+ MiB are in use on the device, and the host can take [0-9]+ MiB" "refused early, with the numbers"
is "$(attr mode) $(attr pages/used)" "driver $((full << 20))" "everything is as it was"
intact "$first" "data is intact"
stop_pattern "$first"

# There is room for it when it begins, and then somebody takes that: a pool of huge
# pages, which takes what it can get, and then no process is killed for it.
start_program onboard hold -c 512
first=$pattern
bash -c "echo offline >$SYS/mode" 2>/dev/null &
writer=$!
wait_for 20 eval '[ "$(attr pages/evacuated)" -gt 1024 ]'
echo 1000 >/proc/sys/vm/nr_hugepages
! wait $writer
stopped=$?
# No more programs than that may be started while the host is full.
read -r taken </proc/sys/vm/nr_hugepages
echo 0 >/proc/sys/vm/nr_hugepages
ok $stopped "it stops"
diag "$(attr pages/evacuated) pages were off, $taken huge pages were taken; $(attr last_error)"
is "$(attr mode)" driver "the mode is as it was"
like "$(attr last_error)" "host has run out of memory; [0-9]+ MiB stay on the device" "and it says why"
intact "$first" "data is intact, here and there"
is "$(grep oom_kill /proc/vmstat)" "$ooms" "nobody was killed"
attr mode offline
is "$(attr mode)" offline "with memory to spare the mode can be left"
intact "$first" "and data is intact"
stop_pattern "$first"

done_testing
