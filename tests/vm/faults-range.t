#!/bin/bash
# The same for what only soft-reserved ranges have: new_range and remove_range.
# machine: soft
# kernels: debug
# timeout: 300

. /cxlmem/tests/vm/faults.sh

range=$(sed -n 's/.*memmap=\([0-9]*\)M%\(0x[0-9a-f]*\)-.*/\2 \1/p' /proc/cmdline)
sweep_all range "${range% *}" $((${range#* } << 20)) -- "$@"

done_testing
