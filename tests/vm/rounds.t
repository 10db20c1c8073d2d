#!/bin/bash
# Many rounds of everything leave nothing behind.
# machine: type3
# timeout: 400
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
# The debug kernel is slow, and finds a leak by itself. A round may cost 200 kB.
rounds=6 limit=1200
[ "$slowness" = 1 ] || rounds=4 limit=2048

round() {
	bind_device "$fn" && cxlmemctl online cxlmem0 &&
		start_pattern "$(attr node)" $((mib / 8)) && cxlmemctl offline cxlmem0 &&
		[ "$(pattern_says "$pattern")" = intact ] && stop_pattern "$pattern" &&
		cxlmemctl unbind cxlmem0
}

# What is free, and what the kernel has for itself.
figures() {
	free_memory
	awk '/^Slab:/ { print $2 }' /proc/meminfo
}

# The first rounds fill caches that the kernel keeps for ever.
for _ in 1 2 3; do round >/dev/null 2>&1; done
iomem=$(cat /proc/iomem)
mapfile -t before < <(figures)
failed=0
for ((i = 1; i <= rounds; i++)); do
	round >/tmp/round 2>&1 || { failed=$((failed + 1)); diag "round $i: $(cat /tmp/round)"; }
done
mapfile -t after < <(figures)
is $failed 0 "$rounds rounds: bind, online, fill, offline, unbind"
is "$(cat /proc/iomem)" "$iomem" "/proc/iomem is as it was"
diag "free ${before[0]} -> ${after[0]} kB, slab ${before[1]} -> ${after[1]} kB"
# A memmap that is not freed would cost 2 MiB a block and round.
ok "$([ $((before[0] - after[0])) -lt $limit ]; echo $?)" "less than $limit kB of free memory are gone"
ok "$([ $((after[1] - before[1])) -lt $limit ]; echo $?)" "slab has grown by less than $limit kB"

done_testing
