#!/bin/bash
# The same for mode "driver": entering and leaving it, and memory that is moved in,
# created, moved out, evicted and taken off, by several threads.
# machine: soft
# kernels: debug
# timeout: 400

. /cxlmem/tests/vm/faults.sh

read -r start size < <(soft_reserved)

# Small enough to be filled again and again.
sweep_all -m range "$start" $((8 << 20)) -- "$@"
# From mode to mode; mode "system" needs whole memory blocks.
[ $# -gt 0 ] || sweep_all -m range "$start" $((size << 20)) -- "system to driver" "driver to system"

done_testing
