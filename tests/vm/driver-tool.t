#!/bin/bash
# Mode "driver" by the tool and the library: settings, list, who, a program whose
# memory is kept on the device, a process that is moved, a user without privileges.
# machine: type3
# init: systemd
# timeout: 300
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

json() { python3 -I -S -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
# What the kernel's page tables say; what the driver says is in its attributes.
bytes_of() { cxlmemctl who -brn cxlmem0 | awk -v pid="$1" '$1 == pid { print $3 }'; }
used() { cxlmemctl list -bnro USED cxlmem0; }
mega=$((1 << 20))

bind_device
run_ok cxlmemctl mode cxlmem0 driver --dry-run
is "$(attr mode)" offline "a dry run does nothing"
like "$(cxlmemctl mode cxlmem0 driver --policy evict --quota 64M)" \
	"in mode driver, 0B of ${mib}M in use, policy evict, 64M for each user" "mode driver, with its settings"
is "$(attr mode) $(attr policy) $(attr quota)" "driver evict $((64 << 20))" "the kernel has them"
run_ok cxlmemctl mode cxlmem0 driver --policy deny --quota 0
is "$(attr policy) $(attr quota)" "deny 0" "they can be changed"
fails_with 1 "multiple|page" cxlmemctl mode cxlmem0 driver --quota 1000
is "$(cxlmemctl list -bnro MODE,CAPACITY,USED,FREE,POLICY)" \
	"driver $((mib << 20)) 0 $((mib << 20)) deny" "list tells of it"
is "$(cxlmemctl list --json | json "d['devices'][0]['capacity'], d['devices'][0]['free'], d['devices'][0]['quota']")" \
	"$((mib << 20)) $((mib << 20)) 0" "so does its JSON"

udevadm settle
is "$(stat -c '%G %a' /dev/cxlmem0)" "cxlmem 660" "udev gives it to the group cxlmem"

# A program whose memory goes to the device as it grows; its children's, too, even
# those that one of its threads has started.
out=$(mktemp)
chmod 666 "$out"
cxlmemctl -v migrate --interval 0.2 cxlmem0 -- perl -Mthreads -e '
threads->create(sub { system("pattern", "16") })->join;
exit 7' >"$out" 2>&1 &
tool=$!
wait_for 60 grep -q ready "$out"
pattern=$(pgrep -x pattern)
on_device() { [ "$(bytes_of "$1")" -ge "$2" ]; }
wait_for 60 on_device "$pattern" $((16 * mega))
ok 0 "the memory of a program's child is on the device"
mv "$out" "/tmp/pattern.$pattern"
intact "$pattern" "and intact"
diag "$(cxlmemctl who cxlmem0)"
is "$(cxlmemctl who --json cxlmem0 | json "[p['command'] for p in d['processes'] if p['pid'] == $pattern][0]")" \
	pattern "who names it"
like "$(used)" "^[1-9]" "list says that it is in use"
kill "$pattern"
wait $tool
is $? 7 "the exit code is the program's"
is "$(attr pages/used)" 0 "the device is empty afterwards"
diag "$(tail -n 1 "/tmp/pattern.$pattern")"

# A running process, in and out, in the middle of whatever it does.
start_program pattern 16
out=$(cxlmemctl migrate --pid "$pattern" cxlmem0)
is $? 0 "a running process can be moved"
diag "$out"
is "$(($(bytes_of "$pattern") >= 16 * mega))" 1 "it is on the device, by its page tables"
intact "$pattern" "it is intact"
is "$(cxlmemctl --json migrate --pid "$pattern" --out cxlmem0 | json "d['result'], d['moved'] >= 16 << 20")" \
	"done True" "and off again"
is "$(bytes_of "$pattern")" "" "it has nothing there any more"
intact "$pattern" "it is intact"
for ((i = 0; i < 5; i++)); do
	cxlmemctl migrate --pid "$pattern" cxlmem0 >/dev/null || break
	cxlmemctl migrate --pid "$pattern" --out cxlmem0 >/dev/null || break
done
is $i 5 "five times more"
intact "$pattern" "it is intact"

# Evacuating and leaving the mode take the data off.
cxlmemctl migrate --pid "$pattern" cxlmem0 >/dev/null
like "$(cxlmemctl evacuate cxlmem0)" "in mode driver, 0B of" "evacuate empties the device"
intact "$pattern" "it is intact"
cxlmemctl migrate --pid "$pattern" cxlmem0 >/dev/null
run_ok cxlmemctl offline cxlmem0
intact "$pattern" "it is intact"
fails_with 1 "in mode offline" cxlmemctl migrate --pid "$pattern" cxlmem0
run_ok cxlmemctl mode cxlmem0 driver
fails_with 1 "no such process" cxlmemctl migrate --pid 999999 cxlmem0
stop_pattern "$pattern"

# Somebody without privileges: refused without the group, and within the quota with it.
unprivileged() { setpriv --reuid 1001 --regid 1001 --groups "$(getent group cxlmem | cut -d: -f3)" "$@"; }
fails_with 1 "group" setpriv --reuid 1001 --regid 1001 --clear-groups cxlmemctl migrate cxlmem0 true
fails_with 1 "must be root" unprivileged cxlmemctl mode cxlmem0 offline
fails_with 1 "only root" unprivileged cxlmemctl who cxlmem0
run_ok cxlmemctl mode cxlmem0 driver --quota 8M
chmod 777 /tmp
# Not by the function, whose subshell would be what runs in the background.
setpriv --reuid 1001 --regid 1001 --groups "$(getent group cxlmem | cut -d: -f3)" pattern 16 >/tmp/mine &
pattern=$!
wait_for 60 grep -q ready /tmp/mine
out=$(unprivileged cxlmemctl migrate --pid $pattern cxlmem0 2>&1)
is $? 64 "a user gets a part, by the quota"
like "$out" "all that a user may have" "and is told why"
diag "$out"
fails_with 1 "is not yours" setpriv --reuid 1002 --regid 1002 \
	--groups "$(getent group cxlmem | cut -d: -f3)" cxlmemctl migrate --pid $pattern cxlmem0
mv /tmp/mine "/tmp/pattern.$pattern"
intact "$pattern" "it is intact"
stop_pattern "$pattern"
run_ok cxlmemctl mode cxlmem0 driver --quota 0

# The library, by a program that was built against what is installed.
is "$(library)" "0 4096 0 4096 0 4096 7 0 -28" "it allocates, moves and frees, and is told of no space"
is "$(attr pages/used)" 0 "all is free again"

done_testing
