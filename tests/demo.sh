#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job, as a person would type it at the prompt of a machine that has a
# CXL device: its memory becomes a far NUMA node, a program uses it, and it is
# taken back under the running program; then the same in mode "driver". Every step is checked; the first that
# does not come out as told ends the demo with exit code 1. Runs in a virtual
# machine, see `make demo`.

function=$(lspci -Dn -d ::0502 | awk '{ print $1; exit }')
. /cxlmem/tests/demo-lib.sh

tell "This machine has a CXL device with memory of its own, which nobody uses:"
enter "uname -r"
enter "lspci -s $function"
enter "numactl -H"
see '^available: 1 nodes' "one NUMA node"

tell "The device is given to cxlmem, and its memory to the operating system:"
enter "cxlmemctl bind $function"
enter "cxlmemctl list"
see '^cxlmem0 .*offline' "cxlmem0 in mode offline"
enter "cxlmemctl online cxlmem0"
enter "cxlmemctl list"
see '^cxlmem0 .*system.* movable ' "cxlmem0 in mode system, movable"
node=$(cat /sys/class/cxlmem/cxlmem0/node)

tell "It is a far NUMA node now:"
enter "numactl -H"
see "^node $node size: 10[0-9][0-9] MB" "node $node with a gigabyte"
see "^node $node cpus:\$" "node $node without CPUs"

tell "A program fills 512 MiB of that node with a pattern:"
enter "numactl --membind $node pattern 512 >pattern.log & program=\$!"
wait_for_line ready pattern.log
enter "cat pattern.log"
# shellcheck disable=SC2154 # set by the command just entered
enter "numastat -p $program"
on_node=$(awk -v c=$((node + 2)) '$1 == "Total" { print int($c) }' $output)
[ "${on_node:-0}" -ge 512 ] || fail "expected 512 MiB of the program on node $node"

tell "The memory is taken back while the program runs:"
enter "cxlmemctl offline cxlmem0"
enter "cxlmemctl list"
see '^cxlmem0 .*offline' "cxlmem0 in mode offline"

tell "The program goes on, with its data whole, in the host's own memory:"
enter "kill -USR1 $program"
wait_for_line 'intact\|CORRUPT' pattern.log
enter "cat pattern.log"
see '^intact$' "the program's data intact"
enter "numastat -p $program"
on_host=$(awk '$1 == "Total" { print int($2) }' $output)
[ "$on_host" -ge 512 ] || fail "expected 512 MiB of the program on node 0"
enter "numactl -H"
see_no "^node $node size: [1-9]" "memory in node $node"

tell "Or the system is given none of it, and only who asks gets memory there:"
enter "cxlmemctl mode cxlmem0 driver"
see 'in mode driver' "cxlmem0 in mode driver"
enter "cxlmemctl migrate --pid $program cxlmem0"
see '^51[2-9][0-9.]*M moved to cxlmem0' "512 MiB of the program on cxlmem0"
enter "cxlmemctl who cxlmem0"
see "^ *$program .*pattern" "the program"
enter "cxlmemctl offline cxlmem0"
enter "kill -USR1 $program"
wait_for_line 'intact\|CORRUPT' pattern.log 2
enter "tail -n 1 pattern.log"
see '^intact$' "the program's data intact"

tell "And the device can be given back:"
enter "kill $program"
enter "cxlmemctl unbind cxlmem0"
enter "cxlmemctl list"
see_no cxlmem0 "cxlmem0"

printf '\nEverything came out as told.\n'
