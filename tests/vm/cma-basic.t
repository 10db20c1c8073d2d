#!/bin/bash
# Mode "cma", lent and not: what is claimed is what was asked for, and goes with its
# last reference; nothing else has a say.
# machine: type3
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
like "$(attr modes)" cma "the mode is on offer"
is "$(attr lend)" off "nothing is lent unless somebody says so"
fails_with 1 "error=EBUSY" claim try 2

for lend in off on; do
	enter_cma $lend
	ok $? "mode cma, lend $lend"
	is "$(attr mode) $(attr lend)" "cma $lend" "as the attributes say"
	is "$(attr cma/largest)" "$((mib << 20))" "all of it can be claimed in one piece"
	is "$(attr cma/claimed)" 0 "nothing is"
	if [ $lend = off ]; then
		is "$(attr cma/lent) $(attr cma/free) $(pages_of_os)" "0 $((mib << 20)) 0" "the OS has nothing"
	else
		is "$(attr cma/lent) $(pages_of_os)" "$((mib << 20)) $((mib << 8))" "the OS has it all"
	fi
	like "$(onboard info)" "flags=$([ $lend = on ] && echo 12 || echo 4) capacity=$((mib << 20)) used=0 " \
		"/dev/cxlmem0 says so, too"
	for case in basic align parallel arguments; do
		run_ok claim $case
	done
	is "$(attr cma/claimed) $(attr cma/largest)" "0 $((mib << 20))" "all of it is free again"

	# Others are refused as long as there are claims, by name.
	start_program claim hold -a 0x4000000 64
	a=$pattern
	start_program claim hold -m 2
	is "$(attr cma/claimed)" "$((66 << 20))" "two claims"
	# What it has written is in the machine's memory from its beginning on, in one piece.
	offset=$(sed -n 's/.*offset=\(0x[0-9a-f]*\|0\) .*/\1/p' "/tmp/pattern.$a")
	start=$(attr start) wrong=0
	for ((i = 0; i < 64 << 20; i += (4 << 20) + 4096)); do
		[ $(($(physical $((start + offset + i))))) = $(((i << 32) + a)) ] || wrong=$((wrong + 1))
	done
	is $wrong 0 "it is contiguous in physical memory"
	is "$(awk '{ print $3, $4, $5, $6 }' $SYS/cma/claims | sort -n)" \
		"$((2 << 20)) 0 $pattern claim
$((64 << 20)) 0 $a claim" "are listed"
	for mode in offline system driver; do
		fails_with 1 "busy" attr mode $mode
		like "$(attr last_error)" "66 MiB are claimed: 64 MiB by pid $a .claim., 2 MiB that no process has open, made by pid $pattern .claim." \
			"it says who has them"
	done
	intact "$a" "a claim is as it was"
	fails_with 1 "busy" bash -c "echo offline >$(blocks | head -n 1)/state"
	is "$(blocks_in_state online)" "$nblocks" "no memory block goes"
	kill -9 "$a" "$pattern"
	wait
	wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
	ok $? "all is free after kill -9"
	run_ok attr mode offline
	is "$(attr cma/largest)$(attr cma/claims)" 0 "nothing in mode offline"
done

# lend is switched while there are claims and others use the memory.
enter_cma on
start_program claim hold 32
a=$pattern
start_program pattern -b 1 $((mib / 8))
run_ok attr lend off
is "$(attr cma/lent) $(attr cma/free) $(pages_of_os)" "0 $(((mib - 32) << 20)) 0" "all is taken from the OS"
intact "$pattern" "the OS's data is intact"
intact "$a" "the claim's is"
is "$(resident "$pattern" 1)" 0 "the OS has its data elsewhere"
run_ok claim try -t $((mib / 2))
run_ok attr lend on
is "$(pages_of_os)" $(((mib - 32) << 8)) "all is lent but for the claim"
stop_pattern "$pattern"
stop_pattern "$a"
wait_for 10 eval '[ "$(pages_of_os)" = $((mib << 8)) ]'
ok $? "the claim's memory is lent, too, when it goes"

# The quota, of users that are not root.
chmod 666 /dev/cxlmem0
attr quota $((32 << 20))
fails_with 1 "error=EDQUOT" setpriv --reuid 1000 --clear-groups claim quota 34
like "$(setpriv --reuid 1000 --clear-groups claim quota 32)" "error=0" "a user gets what a user may have"
fails_with 1 "error=EDQUOT" setpriv --reuid 1000 --clear-groups claim quota 16 18
run_ok claim try 64

attr mode offline
is "$(attr mode)" offline "left"
done_testing
