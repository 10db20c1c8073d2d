#!/bin/bash
# Two Type-2 functions: each engine reaches the other one's memory.
# machine: type2-pair
# check: 7.2

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
	run_ok cxlmemctl offline cxlmem$i
	run_ok cxlmemctl unbind cxlmem$i
done

done_testing
