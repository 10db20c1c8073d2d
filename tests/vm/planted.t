#!/bin/bash
# The debug kernel finds what it is there for: faults are planted (see planted/),
# and each must come out as a complaint that would fail a test.
# machine: plain
# kernels: debug
# memory: 1G
# append: kmemleak=on slab_debug=F,kmalloc-256 kasan_multi_shot
# check: debug

. /cxlmem/tests/vm/cxlmem.sh

# plant FAULT REGEX: it makes the kernel say REGEX, and complaints() tells of it.
plant() {
	dmesg -C
	insmod "$module" fault="$1" 2>/dev/null
	like "$(complaints)" "$2" "$1 is noticed"
}
module=/lib/modules/$(uname -r)/updates/planted.ko

is "$(complaints)" "" "nothing is wrong before"
# The leak comes first: kmemleak makes all that follows slow. slab_debug is for what
# the leak is taken from.
insmod "$module" fault=leak 2>/dev/null
like "$(leaks)" "unreferenced object.*size 256" "a leak is noticed"
echo off >/sys/kernel/debug/kmemleak
# Lockdep is off once anything else has been found.
plant lock-order "possible circular locking dependency"
plant warning "WARNING: .*planted"
plant use-after-free "KASAN: slab-use-after-free"
plant out-of-bounds "UBSAN: array-index-out-of-bounds"
plant sleep-while-atomic "sleeping function called from invalid context"

dmesg -C
done_testing
