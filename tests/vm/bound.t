#!/bin/bash
# Programs that may have memory on the far node only, and ask for more of it
# all the time: when the node leaves, they go on elsewhere and are not killed.
# machine: type3
# memory: 3G
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/far
in_far_cpuset() {
	echo "$BASHPID" >/sys/fs/cgroup/far/cgroup.procs
	exec "$@"
}

bind_device
cxlmemctl online cxlmem0 >/dev/null
node=$(attr node)
echo "$node" >/sys/fs/cgroup/far/cpuset.mems

# Who copies on write waits for memory, and holds the page that is to move. It comes first:
# the others leave a slow kernel's CPU no time for it to start.
numactl --membind "$node" stress-ng --fork 2 --vm 1 --vm-bytes 16M --verify --timeout 0 >/tmp/stress 2>&1 &
stress=$!
wait_for 30 pgrep -P $stress

share=$((full / 5 / slowness))
start_pattern "$node" $share -s -f
by_policy=$pattern
start_program pattern -s -f -b "$node" $share
by_range=$pattern
start_program in_far_cpuset pattern -s -f $share
by_cpuset=$pattern
is "$(($(resident "$by_policy" "$node") + $(resident "$by_range" "$node") +
	$(resident "$by_cpuset" "$node") > share * 27 / 10))" 1 "all three have their memory on the node"

run_ok cxlmemctl offline cxlmem0
intact "$by_policy" "a process bound to the node is intact"
intact "$by_range" "memory bound to the node is intact"
intact "$by_cpuset" "a process in a cpuset of that node is intact"
is "$(resident "$by_policy" "$node") $(resident "$by_range" "$node") $(resident "$by_cpuset" "$node")" \
	"0 0 0" "none of them has memory on the node any more"
# Its status tells, too, whether the signal came while it started or ended a child.
kill -INT $stress
wait $stress
like "$(cat /tmp/stress)" "passed: 3: .*failed: 0" "parents and children that copy on write are intact"
like "$(dmesg | grep -c 'invoked oom-killer')" '^0$' "nothing was killed"

done_testing
