#!/bin/bash
# What processes do with memory that is on the device: fork and copy on write,
# mremap, mprotect, MADV_DONTNEED, mlock, and threads that write while it moves.
# check: 7.2
# machine: type3
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
attr mode driver
for name in fork mappings skipped hammer; do
	run_ok onboard $name
	is "$(attr pages/used)" 0 "the device is empty after that"
done

# The charge of a memory cgroup does not change with where the memory is.
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
group=/sys/fs/cgroup/driver
mkdir $group
bash -c "echo \$\$ >$group/cgroup.procs; exec onboard hold -s 64" >/tmp/charge &
holder=$!
wait_for 60 grep -q ready /tmp/charge
charged=$(($(cat $group/memory.current) >> 20))
ok "$([ $charged -ge 64 ] && [ $charged -le 70 ]; echo $?)" "64 MiB on the device are charged to its cgroup"
diag "$charged MiB"
attr mode offline
recharged=$(($(cat $group/memory.current) >> 20))
ok "$([ $((recharged - charged)) -le 1 ] && [ $((charged - recharged)) -le 1 ]; echo $?)" "and as much on the host"
diag "$recharged MiB"
kill -9 $holder
wait $holder
wait_for 10 eval "[ \$(cat $group/memory.current) -lt 4194304 ]"
ok $? "the charge is gone with it"
attr mode driver
bash -c "echo \$\$ >$group/cgroup.procs; exec onboard hold -c 64" >/tmp/charge &
holder=$!
wait_for 60 grep -q ready /tmp/charge
charged=$(($(cat $group/memory.current) >> 20))
ok "$([ $charged -ge 64 ] && [ $charged -le 70 ]; echo $?)" "pages that are created on the device are charged"
kill -9 $holder
wait $holder
wait_for 10 eval '[ "$(attr pages/used)" = 0 ]'
ok $? "kill -9 frees what a process had on the device"

done_testing
