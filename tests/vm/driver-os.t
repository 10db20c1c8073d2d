#!/bin/bash
# The OS's own movers, switched on and busy, leave the device alone: KSM, khugepaged,
# compaction, NUMA balancing, reclaim and swap.
# check: 7.2
# machine: soft
# size: 512M
# qemu: -drive if=none,id=disk,format=raw,snapshot=on,file=null-co:// -device nvme,serial=1,drive=disk,bus=pcie.0
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

# Half of the range for mode "driver"; half is a far node, to have one to balance with.
read -r start size < <(soft_reserved)
bind_device "$start+$((size / 2))M"
cxlmemctl bind "$(printf 0x%x $((start + (size << 19))))+$((size / 2))M" >/dev/null
run_ok cxlmemctl online cxlmem1
attr mode driver

# A slow kernel has less to do, with the same proportions, and is not driven as hard.
held=$((100 / slowness)) limit=$((160 / slowness)) swapped=$((120 / slowness)) far_mib=$((64 / slowness))

# Reclaim has to look for victims in a cgroup of which most is on the device.
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup
group=/sys/fs/cgroup/small
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $group
echo ${limit}M >$group/memory.max
# start_in_group COMMAND...
# shellcheck disable=SC2016
start_in_group() { start_program bash -c 'echo $$ >'$group'/cgroup.procs && exec "$@"' - "$@"; }
modprobe nvme
swap=/dev/nvme0n1
wait_for 20 test -b $swap
mkswap $swap >/dev/null && swapon $swap

# Before the others come for it: what KSM has merged could not be moved.
start_in_group onboard hold -w -h -m $held
holder=$pattern
counter() { awk -v what="$1" '$1 == what { print $2 }' /proc/vmstat; }
# By so much each of them is to go up, to count as busy.
declare -A before work=([numa_pte_updates]=1000 [numa_hint_faults]=100 [numa_pages_migrated]=1000
	[compact_migrate_scanned]=1000 [pswpout]=1000 [pswpin]=1000)
for what in "${!work[@]}"; do
	before[$what]=$(counter "$what")
done
ksm=$(cat /sys/kernel/mm/ksm/full_scans)
khugepaged=$(cat /sys/kernel/mm/transparent_hugepage/khugepaged/full_scans)
echo 1 >/sys/kernel/mm/ksm/run
echo 1000 >/sys/kernel/mm/ksm/pages_to_scan
echo $((10 * slowness)) >/sys/kernel/mm/ksm/sleep_millisecs
echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo $((10 * slowness)) >/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs
echo 8192 >/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan
balancing=/sys/kernel/debug/sched/numa_balancing
echo 1 >/proc/sys/kernel/numa_balancing
echo 0 >$balancing/scan_delay_ms
echo 100 >$balancing/scan_period_min_ms
echo 200 >$balancing/scan_period_max_ms

start_in_group pattern -w $swapped
hog=$pattern
start_program pattern -w $far_mib
far=$pattern
migratepages "$far" 0 1

busy() {
	local what
	echo 1 >/proc/sys/vm/compact_memory
	migratepages "$far" 0 1
	for what in "${!work[@]}"; do
		[ "$(counter "$what")" -ge $((before[$what] + work[$what])) ] || return
	done
	[ "$(cat /sys/kernel/mm/ksm/full_scans)" -gt $((ksm + 100)) ] &&
		[ "$(cat /sys/kernel/mm/transparent_hugepage/khugepaged/full_scans)" -gt $((khugepaged + 10)) ]
}
wait_for 120 busy
ok $? "KSM, khugepaged, compaction, NUMA balancing and swap have been busy"
diag "$(grep -E '^(numa_(pte|hint|pages)|compact_(migrate|isolated)|pswp|thp_collapse_alloc |ksm)' /proc/vmstat | paste -sd' ')"

kill -USR2 "$holder"
wait_for 60 grep -q "^device=" "/tmp/pattern.$holder"
is "$(grep ^device= "/tmp/pattern.$holder")" "device=$((held * 256)) host=0 none=0 other=0" "every page is where it was put"
is "$(attr pages/used)" "$((held << 20))" "and no other is there"
is "$(awk '$1 == "anon" { print ($2 > '$held' * 2 ^ 20) }' $group/memory.stat)" 1 "its cgroup is charged for them"
# To be read in one piece by programs that do nothing else meanwhile.
echo max >$group/memory.max
echo 0 >/sys/kernel/mm/ksm/run
echo 0 >/proc/sys/kernel/numa_balancing
intact "$holder" "data is intact"
intact "$hog" "data that was swapped is intact"
intact "$far" "data that was balanced is intact"
stop_pattern "$far"
stop_pattern "$hog"
stop_pattern "$holder"
swapoff $swap
run_ok attr mode offline

done_testing
