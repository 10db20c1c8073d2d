#!/bin/bash
# The same for mode "cma": entering and leaving it, lending, and claims, with data
# of a process in their place.
# machine: soft
# kernels: debug
# timeout: 400

. /cxlmem/tests/vm/faults.sh

read -r start size < <(soft_reserved)
sweep_all -c range "$start" $((size << 20)) -- "$@"

done_testing
