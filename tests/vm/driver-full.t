#!/bin/bash
# A full device: "deny" refuses and leaves everything, "evict" makes room, and a
# user gets no more than the quota.
# check: 7.2
# machine: type3
# memory: 3G
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

# start_holder USER [OPTION...] MIB: sets $holder to its pid.
start_holder() {
	local user=$1 out
	shift
	out=$(mktemp)
	chmod 666 "$out"
	setpriv --reuid "$user" --regid 1000 --clear-groups onboard hold "$@" >"$out" 2>&1 &
	holder=$!
	wait_for 60 grep -q ready "$out"
	mv "$out" "/tmp/pattern.$holder"
}
counts() { head -n 1 "/tmp/pattern.$1"; }
where() {
	local before
	before=$(wc -l <"/tmp/pattern.$1")
	kill -USR2 "$1"
	wait_for 60 eval "[ \$(wc -l <'/tmp/pattern.$1') -gt $before ]"
	tail -n 1 "/tmp/pattern.$1"
}

bind_device
attr mode driver
chgrp 1000 /dev/cxlmem0
is "$(attr policy) $(attr quota)" "deny 0" "the defaults are no eviction and no quota"
fails_with 1 "write error" bash -c "echo sometimes >$SYS/policy"
like "$(attr last_error)" "deny or evict" "and it says why"
fails_with 1 "write error" bash -c "echo 1000 >$SYS/quota"

# 200 MiB of 256 are taken, and somebody wants 100.
start_holder 1001 -s 200
first=$holder
start_holder 1002 -n -s 100
second=$holder
like "$(counts "$second")" "^error=ENOSPC .*moved=14336 .*evicted=0" "deny: 56 MiB fit, then there is no space"
like "$(where "$first")" "^device=51200 host=0 " "the first has all that it had"
intact "$first" "its data is intact"
intact "$second" "so is that of the second"
is "$(attr pages/used)" "$((256 << 20))" "the device is full"
start_holder 1002 -n -c 4
like "$(counts "$holder")" "^error=ENOSPC .*created=0 " "and nothing is created there"
intact "$holder" "but the process can go on without"
stop_pattern "$holder"
stop_pattern "$second"
like "$(attr pages/refused)" "^[1-9]" "it is counted"

attr policy evict
start_holder 1002 -s 100
second=$holder
like "$(counts "$second")" "^error=0 .*moved=25600 .*evicted=[1-9]" "evict: there is room for all"
like "$(where "$second")" "^device=25600 host=0 " "and it is there"
like "$(where "$first")" "^device=[1-4][0-9]{4} host=[1-9][0-9]+ " "some of the first is not"
intact "$first" "the data of the first is intact"
intact "$second" "the data of the second is intact"
like "$(attr pages/evicted)" "^[1-9]" "it is counted"
diag "$(counts "$second"), $(where "$first")"
stop_pattern "$first"
stop_pattern "$second"

# The quota is for each user, over all of his processes.
attr policy deny
attr quota $((64 << 20))
start_holder 1001 -s 40
first=$holder
start_holder 1001 -n -s 40
like "$(counts "$holder")" "^error=EDQUOT .*moved=6144 " "the quota: 24 MiB more for this user"
start_holder 1002 -s 60
like "$(counts "$holder")" "^error=0 .*moved=15360 " "but 60 for another"
attr policy evict
start_holder 1002 -n -s 40
like "$(counts "$holder")" "^error=EDQUOT .*moved=1024 .*evicted=0" "nobody is evicted for who has all that is his"
like "$(where "$first")" "^device=10240 " "the first user has all that he had"
onboard hold -s 100 >/tmp/root &
root=$!
wait_for 60 grep -q ready /tmp/root
ok 0 "root is not limited"
stop_pattern $root
for pid in $(pgrep onboard); do kill -9 "$pid"; done
wait
is "$(attr pages/used)" 0 "all are gone, and with them what they had"

done_testing
