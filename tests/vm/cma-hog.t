#!/bin/bash
# A program that takes all memory there is: with lend=off it is killed before it gets a
# page of the device; with lend=on it uses the device.
# machine: type3
# memory: 512M
# check: 7.2
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

expected_log+='; /invoked oom-killer/,/Out of memory: Killed/d; /oom_reaper/d'
# More than there is, which the kernel does not promise by itself.
echo 1 >/proc/sys/vm/overcommit_memory
# hog COMMAND...
hog() {
	bash -c 'echo 1000 >/proc/self/oom_score_adj; exec "$@"' - "$@" pattern 2048 >/tmp/hog 2>&1 &
	wait $!
}
# Pages that the kernel has ever given to somebody on the node.
ever_used() {
	awk '/^(local|other)_node/ { n += $2 } END { print n }' /sys/devices/system/node/node1/numastat
}

bind_device
enter_cma off
hog env
is $? 137 "lend=off: the hog is killed"
is "$(ever_used) $(mib_of 1 MemTotal) $(pages_of_os)" "0 0 0" "it never had a page of the device"
is "$(attr cma/free)" $((mib << 20)) "all of which is free"
attr lend on
# Where the host is full first, the kernel kills for page tables of its own, which
# cannot be on the device, and the device still has room.
hog numactl --preferred 1
is $? 137 "lend=on: the hog is killed, too"
mapfile -t rss < <(dmesg | sed -n 's/.*Killed process .*(pattern).* anon-rss:\([0-9]*\)kB.*/\1/p')
ok "$([ $((rss[1] - rss[0])) -gt $((mib << 9)) ]; echo $?)" \
	"but had $((rss[1] >> 10)) MiB instead of $((rss[0] >> 10))"
run_ok attr mode offline
done_testing
