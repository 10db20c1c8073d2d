#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Heterogeneous memory on a laptop: an accelerator (the model in tests/type2) works on
# a program's malloc'ed memory, which comes to it since it is often used, and is the
# program's still when the card is taken away. Runs in a virtual machine, see `make
# demo-type2`.

function=$(lspci -Dn -d 1234:7432 | awk '{ print $1; exit }')

. /cxlmem/tests/demo-lib.sh

tell "This machine has an accelerator with coherent memory of its own, and a driver for it:"
enter "lspci -s $function"
enter "modprobe cxlmem_sample"
enter "cxlmemctl mode cxlmem0 driver"
enter "cxlmemctl list"
see '^cxlmem0 .*driver' "cxlmem0 in mode driver"

tell "A program mallocs memory, and the accelerator works on the very same pointers, with no copies made.
The device asks for the pages that it often uses, and they move to it:"
enter "t2client demo >demo.log & program=\$!"
wait_for_line ' 100 %' demo.log
enter "cat demo.log"
enter "cxlmemctl who cxlmem0"
see t2client "the program"

tell "The card is unbound while it is at work:"
enter "echo $function >/sys/bus/pci/drivers/cxlmem_sample/unbind"
wait_for_line '^demo' demo.log
enter "tail -n 2 demo.log"
see 'nothing is lost' "that nothing is lost"
see '^demo ok' "that the program found all as it should be"
enter "cxlmemctl list"
see_no cxlmem0 "cxlmem0"

printf '\nEverything came out as told.\n'
