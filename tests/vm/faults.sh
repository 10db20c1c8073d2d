# SPDX-License-Identifier: GPL-2.0
# What the tests that have allocations fail share, on top of cxlmem.sh: the
# program faults does the work, see there.

. /cxlmem/tests/vm/cxlmem.sh

reports_allowed=/cxlmem/tests/vm/faults-allowed

# CXLMEM_FAULTS=all is what `make faults` sets.
all=() data=4
[ "${CXLMEM_FAULTS:-}" != all ] || all=(-a) data=1

# The first CXL memory function; loading the driver and binding it are operations
# of their own here.
unbound_function() {
	local fn
	fn=$(cxl_function)
	echo 0 >/sys/bus/pci/drivers_autoprobe
	[ ! -e "/sys/bus/pci/devices/$fn/driver" ] || echo "$fn" >"/sys/bus/pci/devices/$fn/driver/unbind"
	echo cxlmem_pci >"/sys/bus/pci/devices/$fn/driver_override"
	echo "$fn"
}

# sweep WORDS...: faults with these words, a test for each line that it prints.
sweep() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok "*) ok 0 "${line#ok }" ;;
		"not ok "*) ok 1 "${line#not ok }" ;;
		*) diag "$line" ;;
		esac
	done < <(faults "${all[@]}" -p "$pattern" "$@" 2>&1 || echo "not ok faults: exit code $?")
}

# sweep_all [-d|-m|-c] DEVICE... -- [OPERATION...]: the sweep, and what is left of it: the
# process's data and the claims on memory; and how much memory is free, once all
# that is there for good has been allocated.
sweep_all() {
	local device=() iomem before after
	case $1 in -d|-m|-c) all+=("$1"); shift ;; esac
	while [ "$1" != -- ]; do
		device+=("$1")
		shift
	done
	shift
	faults "${device[@]}" "unload driver" >/dev/null
	start_pattern 0 $data -w
	iomem=$(cat /proc/iomem)
	before=$(free_memory)
	sweep "${device[@]}" "$@"
	after=$(free_memory)
	intact "$pattern" "data is intact"
	stop_pattern "$pattern"
	is "$(cat /proc/iomem)" "$iomem" "/proc/iomem is as it was"
	diag "free memory: $before -> $after kB"
	no_leaks "nothing has leaked"
}
