#!/bin/bash
# Too little room on the host for what is on the device: refused at once, with
# the numbers, and nobody is killed.
# machine: type3
# memory: 1G
# size: 512M
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

bind_device
cxlmemctl online cxlmem0 >/dev/null
start_pattern 1 "$full"
# The host has its own memory to look after.
mount -t tmpfs -o size=100%,mpol=bind:0 tmpfs /mnt
available=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
fallocate -l $((available - 150))M /mnt/file
diag "$(cxlmemctl list), and on the host $(grep MemAvailable /proc/meminfo)"
ooms=$(grep oom_kill /proc/vmstat)
began=$(date +%s%N)
fails_with 1 "holds [0-9.]+[MG].* room for [0-9.]+[MG]" cxlmemctl offline cxlmem0
diag "$(cxlmemctl offline cxlmem0 2>&1)"
ok "$([ $((($(date +%s%N) - began) / 1000000)) -lt 3000 ]; echo $?)" "at once"
fails_with 1 "write error" bash -c "echo offline >$SYS/mode"
like "$(attr last_error)" "MiB are in use on node 1, and the rest of the machine can take [0-9]+ MiB" "the driver refuses as well, with the numbers"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "everything is as it was"
is "$(grep oom_kill /proc/vmstat)" "$ooms" "nobody was killed"
intact $pattern "data is intact"
fails_with 1 "" cxlmemctl unbind cxlmem0
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "unbind is refused, too"
rm /mnt/file
run_ok cxlmemctl offline cxlmem0
intact $pattern "with room on the host it is off, data is intact"

done_testing
