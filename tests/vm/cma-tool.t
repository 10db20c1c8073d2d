#!/bin/bash
# Mode "cma" by cxlmemctl: in, lend switched, out; what list says; and refusals.
# machine: type3
# size: 256M
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

list() { cxlmemctl list -nr -o MODE,ONLINE,LEND,CLAIMED,USED,FREE -b | tr -s ' '; }

bind_device
all=$((mib << 20))
run_ok cxlmemctl mode cxlmem0 cma --dry-run
is "$(attr mode)" offline "which changes nothing"
run_ok cxlmemctl mode cxlmem0 cma
is "$(list)" "cma $all off 0 0 $all" "all of it is on line, and the system has nothing"
is "$(pages_of_os)" 0 "indeed"
start_program claim hold 32
is "$(list)" "cma $all off $((32 << 20)) $((32 << 20)) $((all - (32 << 20)))" "what is claimed is in the list"
for mode in offline system driver; do
	fails_with 1 "32 MiB are claimed: 32 MiB by pid $pattern" cxlmemctl mode cxlmem0 $mode
done
run_ok cxlmemctl mode cxlmem0 cma --lend on --quota 64M
is "$(attr lend) $(attr quota) $(attr cma/lent)" "on $((64 << 20)) $((all - (32 << 20)))" "lend and quota can be set in the mode"
intact "$pattern" "the claim is as it was"
like "$(cxlmemctl mode cxlmem0 cma --lend on)" already "the same again is nothing to do"
run_ok cxlmemctl mode cxlmem0 cma --lend off
is "$(attr lend) $(attr cma/lent)" "off 0" "lend is switched off"
stop_pattern "$pattern"
wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
for mode in system cma driver cma offline; do
	run_ok cxlmemctl mode cxlmem0 $mode
	is "$(attr mode)" $mode "mode $mode"
done
fails_with 1 "zone kernel" cxlmemctl mode cxlmem0 cma --zone kernel
fails_with 2 "lend is on or off" cxlmemctl mode cxlmem0 cma --lend perhaps
fails_with 2 "for mode cma" cxlmemctl mode cxlmem0 system --lend on
is "$(attr mode)" offline "nothing has changed"
done_testing
