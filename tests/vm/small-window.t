#!/bin/bash
# The firmware's window is smaller than the device.
# machine: type3-smallwindow
# size: 512M
# cpus: 1
# debug-size: 512M
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
fails_with 1 "no free 512 MiB in the fixed memory windows: 1 of them" cxlmemctl bind "$fn"
like "$(hdm "$fn" show)" "^open" "no decoder was touched"
is "$(ls /sys/class/cxlmem)" "" "nothing was bound"

done_testing
