# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests share that run on the model of a Type-2 function (tests/type2).

. /cxlmem/tests/vm/cxlmem.sh

# The functions, in the order of the model's numbers.
type2_functions() { lspci -Dn -d 1234:7432 | awk '{ print $1 }'; }

# model N COMMAND...: have the model N do something; its answer without the "ok".
model() {
	local line status=1
	exec {model}<>"$(port "t2control$1")"
	shift
	echo "$*" >&"$model"
	while read -r -t $((20 * slowness)) line <&"$model"; do
		case $line in
		ok) status=0; break ;;
		error:*) echo "$line"; break ;;
		esac
		echo "$line"
	done
	exec {model}>&-
	return $status
}

# report_error N fatal|nonfatal: have the root port get the message that goes with an
# error of function N; vfio-user has no way for the model to send it. QEMU goes by what
# a bit of AER's uncorrectable errors is by default, whatever the model has set.
report_error() {
	local status=0x4000
	[ "$2" != fatal ] || status=0x400000
	qmp human-monitor-command "{\"command-line\":\"pcie_aer_inject_error t2accel$1 $status\"}"
}

# use_mode MODE: have cxlmem0 in it, ready for use; the OS may borrow it in mode "cma".
use_mode() {
	case $1 in
	cma) enter_cma on ;;
	*) cxlmemctl mode cxlmem0 "$1" >/dev/null ;;
	esac
	ok $? "mode $1"
}

# start_user MODE MIB [OPTION...]: a pattern program with its memory there.
start_user() {
	local mode=$1
	shift
	case $mode in
	driver)
		start_program pattern "${@:2}" "$1"
		cxlmemctl migrate --pid "$pattern" cxlmem0 >/dev/null
		ok "$([ "$(attr pages/used)" -ge $(($1 << 20)) ]; echo $?)" "$1 MiB are on the device"
		;;
	*) start_pattern "$(attr node)" "$@" ;;
	esac
}
