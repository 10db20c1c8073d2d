#!/bin/bash
# Mode "cma" by cxlmemctl: in, lend switched, out; what list says; and refusals.
# machine: type3
# check: 7.2
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

# Claims by the tool: for a program, until Ctrl-C, and in the background.
claims() { cxlmemctl claim -bnr cxlmem0; }
fails_with 2 "not a size" cxlmemctl claim cxlmem0 much
fails_with 1 "no contiguous piece of ${mib}M between the claims" sh -c \
	"cxlmemctl claim --detach cxlmem0 2M >/dev/null && cxlmemctl claim cxlmem0 ${mib}M"
run_ok cxlmemctl release cxlmem0 --all
like "$(cxlmemctl claim --align 64M cxlmem0 3M -- sh -c \
	'echo $CXLMEM_SIZE $(($CXLMEM_OFFSET % (64 << 20))); grep exp_name /proc/self/fdinfo/$CXLMEM_FD')" \
	"$((4 << 20)) 0.*cxlmem0" "a program has the claim open"
cxlmemctl claim cxlmem0 16M >/tmp/claim 2>&1 &
holder=$!
wait_for 20 grep -q held /tmp/claim
id=$(sed 's/claim \([0-9]*\):.*/\1/' /tmp/claim)
is "$(claims)" "$id $((16 << 20)) $(sed 's/.* at \(0x[0-9a-f]*\),.*/\1/; s/.* at 0,.*/0/' /tmp/claim) root $holder cxlmem-holder" \
	"it is listed with its holder"
fails_with 1 "16 MiB by pid $holder .cxlmem-holder." cxlmemctl mode cxlmem0 offline
kill -INT $holder
wait $holder
is $? 0 "Ctrl-C ends it"
is "$(claims)" "" "the claim has gone"

# Who has it now counts, not who made it.
made=$(cxlmemctl --json claim --detach cxlmem0 8M | tee /tmp/json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
id=$(sed -n 's/.*"id":\([0-9]*\).*/\1/p' /tmp/json)
ok "$([ "$(awk '{ print $5 }' $SYS/cma/claims)" != "$made" ]; echo $?)" "another process has made it"
fails_with 1 "8 MiB by pid $made .cxlmem-holder." cxlmemctl mode cxlmem0 offline
fails_with 1 "8 MiB by pid $made .cxlmem-holder." cxlmemctl unbind cxlmem0
start_program claim hold 4
theirs=$(claims | awk -v pid="$pattern" '$5 == pid { print $1 }')
fails_with 1 "claim $theirs .4M. is in use by process $pattern .claim." cxlmemctl release cxlmem0 "$theirs"
fails_with 64 "in use by process $pattern" cxlmemctl release cxlmem0 --all
is "$(claims | awk '{ print $1 }')" "$theirs" "what is ours has gone, what is theirs has not"
intact "$pattern" "and is as it was"
fails_with 1 "has no claim $id" cxlmemctl release cxlmem0 "$id"
stop_pattern "$pattern"
wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
fails_with 1 "may not use|group" setpriv --reuid 1001 --regid 1001 --clear-groups cxlmemctl claim cxlmem0 2M

for mode in system cma driver cma offline; do
	run_ok cxlmemctl mode cxlmem0 $mode
	is "$(attr mode)" $mode "mode $mode"
done
fails_with 1 "zone kernel" cxlmemctl mode cxlmem0 cma --zone kernel
fails_with 2 "lend is on or off" cxlmemctl mode cxlmem0 cma --lend perhaps
fails_with 2 "for mode cma" cxlmemctl mode cxlmem0 system --lend on
is "$(attr mode)" offline "nothing has changed"
done_testing
