# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the demos share: commands as a person would type them, each of them checked.

output=/tmp/output

tell() { printf '\n\033[1m%s\033[0m\n' "$*"; }

fail() {
	printf '\nnot as told: %s\n' "$*"
	exit 1
}

# enter COMMAND LINE: shows it, runs it, and keeps what it prints for `see`.
enter() {
	printf '\033[32m#\033[0m %s\n' "$1"
	# Not through a pipe: a program in the background would keep that open.
	eval "$1" >$output 2>&1
	local status=$?
	cat $output
	[ $status = 0 ] || fail "'$1' failed with exit code $status"
}

# see REGEX WHAT: the last command has printed such a line.
see() { grep -Eq -e "$1" $output || fail "expected to see $2"; }
see_no() { ! grep -Eq -e "$1" $output || fail "did not expect to see $2"; }

# wait_for_line REGEX FILE [TIMES]
wait_for_line() {
	local tries
	for ((tries = 0; tries < 300; tries++)); do
		[ "$(grep -c "$1" "$2")" -ge "${3:-1}" ] && return
		sleep 0.1
	done
	fail "'$1' did not appear in $2"
}
