#!/bin/bash
# Two Type-2 functions: each engine reaches the other one's memory.
# machine: type2-pair
# check: 6.12

. /cxlmem/tests/vm/type2.sh

mapfile -t fn < <(type2_functions)
is "${#fn[@]}" 2 "there are two functions"
for i in 0 1; do
	run_ok cxlmemctl bind "${fn[i]}"
	run_ok cxlmemctl online cxlmem$i
done
near=$(cat /sys/class/cxlmem/cxlmem0/node) far=$(cat /sys/class/cxlmem/cxlmem1/node)
ok "$([ "$near" != "$far" ]; echo $?)" "each is a node of its own"
is "$(t2run "${fn[0]}" "$far" physical virtual)" "physical ok
virtual ok" "an engine works on the other device's memory"
is "$(t2run "${fn[0]}" "$far" hot)" "hot 3 reports
hot ok" "which is remote to it"
is "$(t2run "${fn[1]}" "$far" hot)" "hot 0 reports
hot ok" "and local to the other"
for i in 0 1; do
	run_ok cxlmemctl mode cxlmem$i driver
done

# pages N: MiB that are used on device N, that have come to it, and gone to the host.
pages() {
	local name
	for name in used moved_in moved_out; do
		cat "/sys/class/cxlmem/cxlmem$1/pages/$name"
	done | xargs
}
start_program pattern 64
run_ok cxlmemctl migrate --pid "$pattern" cxlmem0
read -r used in out <<<"$(pages 0)"
is "$((used >> 20)) $((in >> 8)) $out" "64 64 0" "a program's memory is on the one device"
run_ok cxlmemctl migrate --pid "$pattern" cxlmem1
read -r used in out <<<"$(pages 0)"
is "$((used >> 20)) $out" "0 0" "it has left it, not for the host"
read -r used in out <<<"$(pages 1)"
is "$((used >> 20)) $((in >> 8)) $out" "64 64 0" "but for the other one"
intact $pattern "and all is intact"
for i in 0 1; do
	run_ok cxlmemctl offline cxlmem$i
	run_ok cxlmemctl unbind cxlmem$i
done
intact $pattern "after they have gone as well"
stop_pattern $pattern

done_testing
