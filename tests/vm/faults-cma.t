#!/bin/bash
# The same for mode "cma": entering and leaving it, lending, and claims, with data
# of a process in their place.
# machine: soft
# kernels: debug
# timeout: 400

. /cxlmem/tests/vm/faults.sh

range=$(sed -n 's/.*memmap=\([0-9]*\)M%\(0x[0-9a-f]*\)-.*/\2 \1/p' /proc/cmdline)
sweep_all -c range "${range% *}" $((${range#* } << 20)) -- "$@"

done_testing
