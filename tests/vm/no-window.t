#!/bin/bash
# The firmware gives CXL devices no room in host physical space.
# machine: type3-nowindow
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
fails_with 1 "no free [0-9]+ MiB in the fixed memory windows: 0 of them" cxlmemctl bind "$fn"
like "$(hdm "$fn" show)" "^open" "no decoder was touched"
is "$(ls /sys/class/cxlmem)" "" "nothing was bound"

done_testing
