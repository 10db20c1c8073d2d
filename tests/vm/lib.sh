# SPDX-License-Identifier: GPL-2.0
# For the tests that run in a virtual machine: TAP, and waiting for things.
# A test sources this first and ends with done_testing.

tests_run=0
tests_failed=0

# ok STATUS NAME: passed if STATUS is 0.
ok() {
	tests_run=$((tests_run + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests_run - $2"
		return 0
	fi
	tests_failed=$((tests_failed + 1))
	echo "not ok $tests_run - $2"
	return 1
}

diag() { sed 's/^/# /' <<<"$*"; }

skip() {
	tests_run=$((tests_run + 1))
	echo "ok $tests_run - $1 # SKIP $2"
}

is() {
	[ "$1" = "$2" ]
	ok $? "$3" || diag "got:      $1
expected: $2"
}

# like TEXT REGEX NAME
like() {
	[[ $1 =~ $2 ]]
	ok $? "$3" || diag "got:         $1
expected like: $2"
}

# run_ok COMMAND...: it succeeds.
run_ok() {
	local out status
	out=$("$@" 2>&1)
	status=$?
	ok $status "$*" || diag "exit $status: $out"
}

# fails_with CODES REGEX COMMAND...: it fails with one of the exit codes "1|2",
# and says something like REGEX.
fails_with() {
	local codes=$1 regex=$2 out status
	shift 2
	out=$("$@" 2>&1)
	status=$?
	[[ $status =~ ^($codes)$ && $out =~ $regex && -n $out ]]
	ok $? "$* is refused" || diag "exit $status, expected $codes
said:        $out
expected like: $regex"
}

# The debug kernel takes several times as long for everything, see run-test.
read -r release </proc/sys/kernel/osrelease
case $release in *-debug) slowness=5 ;; *) slowness=1 ;; esac

# wait_for SECONDS COMMAND...: until it succeeds; a test that waits in vain ends.
wait_for() {
	local seconds=$(($1 * slowness)) end
	shift
	end=$((SECONDS + seconds))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			ok 1 "waited $seconds s for: $*"
			diag "$(dmesg | tail -n 20)"
			done_testing
		}
		sleep 0.05
	done
}

# port NAME: the virtio port that the host calls so.
port() {
	local port name
	for port in /sys/class/virtio-ports/*; do
		read -r name <"$port/name"
		[ "$name" != "$1" ] || echo "/dev/${port##*/}"
	done
}

# qmp COMMAND ARGUMENTS: have QEMU do something, in JSON; sets $answer.
qmp() {
	local channel
	exec {channel}<>"$(port monitor)"
	printf '{"execute":"qmp_capabilities"}\n{"execute":"%s","arguments":%s,"id":"ours"}\n' \
		"$1" "$2" >&"$channel"
	# It greets the first time, and may have events to tell.
	while read -r -t $((10 * slowness)) answer <&"$channel" && [[ $answer != *'"ours"'* ]]; do :; done
	exec {channel}>&-
	[[ $answer = *'"return"'* ]]
}

# monitor COMMAND ID: have QEMU do something to a device, as device_del.
monitor() {
	qmp "$1" "{\"id\":\"$2\"}"
	local status=$?
	diag "$answer"
	return $status
}

# physical ADDRESS: the eight bytes that are there, as the machine below sees them.
physical() {
	qmp human-monitor-command "{\"command-line\":\"xp /1gx $1\"}"
	[[ $answer =~ :\ (0x[0-9a-f]+) ]] && echo "${BASH_REMATCH[1]}"
}

# The first CXL memory function.
cxl_function() {
	local function class
	for function in /sys/bus/pci/devices/*; do
		read -r class <"$function/class"
		[[ $class != 0x0502* ]] || { echo "${function##*/}"; return; }
	done
}

# The soft-reserved range: where it starts, and its MiB.
soft_reserved() {
	sed -n 's/.*memmap=\([0-9]*\)M%\(0x[0-9a-f]*\)-.*/\2 \1/p' /proc/cmdline
}

# A test that makes the kernel's own allocations fail sets this to a list of
# functions of stock kernels that cannot take that: one a line, and the reason.
reports_allowed=
functions_allowed() { sed 's/[ \t#].*//; /^$/d' "$reports_allowed" | paste -sd'|'; }

# The kernel's log, without the reports that come from those functions, and
# without its traces of allocations that have failed.
kernel_log() {
	[ -n "$reports_allowed" ] || { dmesg; return; }
	dmesg | awk -v functions="$(functions_allowed)" '
		/page allocation failure|SLUB: Unable to allocate|vmalloc error/ { failure = 1 }
		failure && /Call Trace/ { failure = 0; next }
		/cut here/ { holding = bad = 1; held = "" }
		!holding { print; next }
		{ held = held $0 "\n" }
		$0 ~ "WARNING: .* (" functions ")[+]0x" { bad = 0 }
		/end trace/ { if (bad) printf "%s", held; holding = 0 }
		END { if (holding) printf "%s", held }'
}

# Two reports of lockdep about locks of stock code only, whoever calls it.
#
# Who writes to a memory block's state has the file and takes the lock of memory
# hotplug; who removes blocks has that lock and waits until nobody has the file. Both
# have device_hotplug_lock before, which the writer only tries to get
# (lock_device_hotplug_sysfs()), so neither ever waits for the other.
#
# pciehp_unconfigure_device() lets go of its slot's reset_lock while a driver leaves
# a device, and takes it again with pci_rescan_remove_lock in its hands, which it took
# the other way round.
without_stock_deadlocks() {
	awk '/possible circular locking dependency/ {
			holding = 1; held = ""; file = lock = writer = slot = alone = more = 0
		}
		!holding { print; next }
		{ held = held $0 "\n" }
		/\(kn->active.*__kernfs_remove/ { file = 1 }
		/\(mem_hotplug_lock.*try_remove_memory/ { lock = 1 }
		/ state_store/ { writer = 1 }
		/ctrl->reset_lock.*pciehp_unconfigure_device/ { slot = 1 }
		/1 lock held by irq.*-pciehp/ { alone = 1 }
		/-> #2/ { more = 1 }
		/<\/TASK>/ {
			if (!(file && lock && writer) && !(slot && alone && !more)) printf "%s", held
			holding = 0
		}
		END { if (holding) printf "%s", held }'
}

# The kernel's complaints, less those that kernel-log-allowed explains, and less
# what a test expects and takes out of the log with the sed script $expected_log.
expected_log=
complaints() {
	local words='WARNING:|BUG:|Oops|KASAN|UBSAN|general protection|Call Trace|possible (circular|recursive)|inconsistent lock state|suspicious RCU|blocked for more than|page_table_check|unreferenced object|sleeping function called|bad page'
	# The filters only take away: most logs have nothing for them, and that is quick.
	dmesg | grep -qE "$words" || return
	kernel_log | without_stock_deadlocks | sed "$expected_log" | grep -E "$words" |
		grep -vEf <(sed '/^#/d; /^$/d' /cxlmem/tests/vm/kernel-log-allowed)
}

done_testing() {
	local found
	found=$(complaints)
	[ -z "$found" ]
	ok $? "the kernel log is clean" ||
		diag "$(dmesg | grep -B 10 -A 40 -F "$found" | head -n 200)"
	echo "1..$tests_run"
	[ $tests_failed = 0 ]
	exit
}
