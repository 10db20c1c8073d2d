#!/bin/bash
# Memory with errors in it, by the kernel's simulation of them. A bad page by itself is in
# nobody's way. In a huge page that could not be split the kernel does not get at it: that is
# named, the rest stays or goes as asked, and without it all of it goes.
# check: 6.12
# machine: type3
# size: 256M
# cpus: 1

. /cxlmem/tests/vm/cxlmem.sh

bind_device
cxlmemctl online cxlmem0 >/dev/null
node=$(attr node)
start_pattern "$node" $((mib / 8)) -s
small=$pattern

# start_poison small|huge: sets $poison to its pid.
start_poison() {
	numactl --membind "$node" poison "$1" >/tmp/poison &
	wait_for 10 test -s /tmp/poison
	poison=$(cat /tmp/poison)
	rm /tmp/poison
}

start_poison small
like "$(cxlmemctl who cxlmem0)" $'\n'"poisoned +4K" "who: a page with an error"
run_ok cxlmemctl offline cxlmem0
intact "$small" "data is intact"
kill "$poison"
cxlmemctl online cxlmem0 >/dev/null
migratepages "$small" 0 "$node"

start_poison huge
like "$(cxlmemctl who cxlmem0)" $'\n'"poisoned +4K" "who: a page with an error in a huge page"
out=$(cxlmemctl offline cxlmem0 --timeout 3 2>&1)
is $? 1 "it keeps the memory"
like "$out" "memory[0-9]+ .*: 4K of it are lost to a memory error .* 4K of poison \(pid $poison\)" "and the report says so"
like "$out" "what to do: .*kill $poison" "and what to do"
diag "$out"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "everything is as it was"
intact "$small" "data is intact"
out=$(cxlmemctl evacuate cxlmem0 --partial --timeout 3 2>&1)
is $? 64 "with --partial the rest goes"
is "$(blocks_in_state online)" 1 "but for its block"
kill "$poison"
run_ok cxlmemctl offline cxlmem0
intact "$small" "without that program all of it goes"
done_testing
