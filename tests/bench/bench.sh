# SPDX-License-Identifier: GPL-2.0
# For benchmarks: things to compare are run in turns, so that whatever slows
# the machine down hits all of them, and come out as ratios with their spread.
# The first round warms up (emulated code is translated then) and is dropped.

set -u
declare -A before after

# setup_of FUNCTION BEFORE AFTER: what is run around it, not timed.
setup_of() {
	before[$1]=$2
	after[$1]=$3
}

# compare ROUNDS FUNCTION...: times each; ratios are to the first.
compare() {
	local rounds=$1 round function start end
	local -A times
	shift
	for ((round = 0; round <= rounds; round++)); do
		for function; do
			[ -z "${before[$function]:-}" ] || "${before[$function]}"
			start=$(date +%s%N)
			$function >/dev/null || { echo "$function failed"; exit 1; }
			end=$(date +%s%N)
			[ -z "${after[$function]:-}" ] || "${after[$function]}"
			[ $round = 0 ] || times[$function]+="$((end - start)) "
		done
	done
	for function; do
		printf '%-14s ms: %s   ratio: %s   n=%d\n' "$function" \
			"$(tr ' ' '\n' <<<"${times[$function]% }" | awk '{ print $1 / 1e6 }' | spread)" \
			"$(paste <(tr ' ' '\n' <<<"${times[$function]% }") \
				<(tr ' ' '\n' <<<"${times[$1]% }") | awk '{ print $1 / $2 }' | spread)" \
			"$rounds"
	done
}

# Numbers, one a line, to their median, minimum and maximum.
spread() {
	sort -n | awk '{ v[NR] = $1 }
		END { printf "%8.2f (%.2f to %.2f)", v[int((NR + 1) / 2)], v[1], v[NR] }'
}
