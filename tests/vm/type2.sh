# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests share that run on the model of a Type-2 function (tests/type2).

. /cxlmem/tests/vm/cxlmem.sh

# The functions, in the order of the model's numbers.
type2_functions() { lspci -Dn -d 1234:7432 | awk '{ print $1 }'; }

# model N COMMAND...: have the model N do something; its answer without the "ok".
model() {
	local name=t2control$1 port line found
	shift
	for port in /sys/class/virtio-ports/*; do
		read -r found <"$port/name"
		[ "$found" != "$name" ] || break
	done
	exec {model}<>"/dev/${port##*/}"
	echo "$*" >&"$model"
	while read -r -t $((20 * slowness)) line <&"$model"; do
		case $line in
		ok) exec {model}>&-; return 0 ;;
		error:*) exec {model}>&-; echo "$line"; return 1 ;;
		esac
		echo "$line"
	done
	exec {model}>&-
	echo "error: the model does not answer"
	return 1
}
