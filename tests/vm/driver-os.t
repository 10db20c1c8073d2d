#!/bin/bash
# The OS's own movers, switched on and busy, leave the device alone: KSM, khugepaged,
# compaction, NUMA balancing, reclaim and swap.
# machine: type3
# size: 256M
# memory: 1G
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
attr mode driver
start_program onboard hold -h -m 100
holder=$pattern
echo 1 >/sys/kernel/mm/ksm/run
echo 1000 >/sys/kernel/mm/ksm/pages_to_scan
echo 10 >/sys/kernel/mm/ksm/sleep_millisecs
echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo 10 >/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs
echo 8192 >/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan
echo 1 >/proc/sys/kernel/numa_balancing 2>/dev/null
if modprobe zram 2>/dev/null; then
	echo 512M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
fi
diag "swap: $(sed 1d /proc/swaps)"

# More than the host has: it has to reclaim, and to swap if it can.
pattern -s "$(awk '/MemAvailable/ { print int($2 / 1024) + 100 }' /proc/meminfo)" >/tmp/hog 2>&1 &
hog=$!
for ((i = 0; i < 15; i++)); do
	echo 1 >/proc/sys/vm/compact_memory
	sleep 1
done
kill -9 $hog
wait $hog
kill -USR2 "$holder"
wait_for 60 grep -q "^device=" "/tmp/pattern.$holder"
is "$(grep ^device= "/tmp/pattern.$holder")" "device=25600 host=0 none=0 other=0" "every page is where it was put"
is "$(attr pages/used)" "$((100 << 20))" "and no other is there"
intact "$holder" "data is intact"
diag "swapped out: $(awk '/^pswpout/ { print $2 }' /proc/vmstat) pages, KSM scans: $(cat /sys/kernel/mm/ksm/full_scans), khugepaged scans: $(cat /sys/kernel/mm/transparent_hugepage/khugepaged/full_scans)"
ok "$([ "$(cat /sys/kernel/mm/ksm/full_scans)" -gt 0 ] && [ "$(cat /sys/kernel/mm/transparent_hugepage/khugepaged/full_scans)" -gt 0 ]; echo $?)" "they did look"
stop_pattern "$holder"
run_ok attr mode offline

done_testing
