#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does the lab notice what goes wrong? Boots a few VMs with tests that fail,
# die or hang. Part of `make check`, as any/lab.

cd "$(dirname "$0")" || exit
. ../vm/lib.sh

# expect CODE REGEX NAME SECONDS COMMANDS: what comes of a test with these
# commands, when that is run in a VM.
expect() {
	local out status
	out=$(./vm -m plain -t "$4" bash -c ". /cxlmem/tests/vm/lib.sh; $5" 2>&1)
	status=$?
	[ $status = "$1" ] && [[ $out =~ $2 ]]
	ok $? "$3" || diag "exit $status, expected $1
$out"
}

expect 0 'ok 2 - the kernel log is clean.*1\.\.2' "a test that passes" 120 \
	'ok 0 fine; done_testing'
# Both in one VM.
expect 1 'not ok 1 - bad.*1\.\.2.*with 1.*not ok 2 - the kernel log is clean.*and what it says next' \
	"a test that fails, and one that makes the kernel complain" 120 \
	'(ok 1 bad; done_testing); echo "# with $?"; ok 0 fine; echo "WARNING: CPU: 0 PID: 1 at mm/none.c:1 nothing+0x1/0x2" >/dev/kmsg
	echo "and what it says next" >/dev/kmsg; done_testing'
expect 125 'died before.*sysrq' "a test that makes the kernel panic" 120 \
	'ok 0 fine; echo c >/proc/sysrq-trigger; done_testing'
expect 125 'not done after 25 s' "a test that hangs" 25 \
	'ok 0 fine; sleep 1000; done_testing'

echo "1..$tests_run"
[ $tests_failed = 0 ]
