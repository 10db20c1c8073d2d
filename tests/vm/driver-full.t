#!/bin/bash
# A full device: "deny" refuses and leaves everything, "evict" makes room, and a
# user gets no more than the quota.
# check: 7.2
# machine: soft
# size: 128M
# debug-size: 128M
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

read -r start size < <(soft_reserved)
bind_device "$start+${size}M"
attr mode driver
chgrp 1000 /dev/cxlmem0
is "$(attr policy) $(attr quota)" "deny 0" "the defaults are no eviction and no quota"
fails_with 1 "write error" bash -c "echo sometimes >$SYS/policy"
like "$(attr last_error)" "deny or evict" "and it says why"
fails_with 1 "write error" bash -c "echo 1000 >$SYS/quota"

# 100 MiB of 128 are taken, and somebody wants 50.
start_holder 1001 -s 100
first=$holder
start_holder 1002 -n -s 50
second=$holder
like "$(counts "$second")" "^error=ENOSPC .*moved=7168 .*evicted=0" "deny: 28 MiB fit, then there is no space"
like "$(where "$first")" "^device=25600 host=0 " "the first has all that it had"
intact "$first" "its data is intact"
intact "$second" "so is that of the second"
is "$(attr pages/used)" "$((128 << 20))" "the device is full"
start_holder 1002 -n -c 4
like "$(counts "$holder")" "^error=ENOSPC .*created=0 " "and nothing is created there"
intact "$holder" "but the process can go on without"
stop_pattern "$holder"
stop_pattern "$second"
like "$(attr pages/refused)" "^[1-9]" "it is counted"

attr policy evict
start_holder 1002 -s 50
second=$holder
like "$(counts "$second")" "^error=0 .*moved=12800 .*evicted=[1-9]" "evict: there is room for all"
like "$(where "$second")" "^device=12800 host=0 " "and it is there"
like "$(where "$first")" "^device=(1[0-9]{4}|[5-9][0-9]{3}) host=[1-9][0-9]+ " "some of the first is not"
intact "$first" "the data of the first is intact"
intact "$second" "the data of the second is intact"
like "$(attr pages/evicted)" "^[1-9]" "it is counted"
diag "$(counts "$second"), $(where "$first")"
stop_pattern "$first"
stop_pattern "$second"

# The quota is for each user, over all of his processes.
attr policy deny
attr quota $((32 << 20))
start_holder 1001 -s 20
first=$holder
start_holder 1001 -n -s 20
like "$(counts "$holder")" "^error=EDQUOT .*moved=3072 " "the quota: 12 MiB more for this user"
start_holder 1002 -s 30
like "$(counts "$holder")" "^error=0 .*moved=7680 " "but 30 for another"
attr policy evict
start_holder 1002 -n -s 20
like "$(counts "$holder")" "^error=EDQUOT .*moved=512 .*evicted=0" "nobody is evicted for who has all that is his"
like "$(where "$first")" "^device=5120 " "the first user has all that he had"
onboard hold -s 50 >/tmp/root &
root=$!
wait_for 60 grep -q ready /tmp/root
ok 0 "root is not limited"
stop_pattern $root
for pid in $(pgrep onboard); do kill -9 "$pid"; done
wait
is "$(attr pages/used)" 0 "all are gone, and with them what they had"

done_testing
