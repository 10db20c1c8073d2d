#!/bin/bash
# The same for mode "driver": entering and leaving it, and memory that is moved in,
# created, moved out, evicted and taken off, by several threads.
# machine: soft
# kernels: debug
# timeout: 400

. /cxlmem/tests/vm/faults.sh

range=$(sed -n 's/.*memmap=\([0-9]*\)M%\(0x[0-9a-f]*\)-.*/\2 \1/p' /proc/cmdline)
start=${range% *}

# Small enough to be filled again and again.
sweep_all -m range "$start" $((8 << 20)) -- "$@"
# From mode to mode; mode "system" needs whole memory blocks.
[ $# -gt 0 ] || sweep_all -m range "$start" $((${range#* } << 20)) -- "system to driver" "driver to system"

done_testing
