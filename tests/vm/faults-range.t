#!/bin/bash
# The same for what only soft-reserved ranges have: new_range and remove_range.
# machine: soft
# kernels: debug
# timeout: 300

. /cxlmem/tests/vm/faults.sh

read -r start size < <(soft_reserved)
sweep_all range "$start" $((size << 20)) -- "$@"

done_testing
