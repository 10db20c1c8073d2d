# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Common ground of the lab's scripts: where things are, and how to run a
# command in the lab's root. Sourced by bash, not run.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab=${CXLMEM_LAB:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cxlmem-lab}
root=$lab/root
build=$top/build
# shellcheck disable=SC2034 # for those who source this
guest=$build/guest		# the layer over the lab's root that VMs see
# The kernel's own scripts that lint runs. No package has them but that of its
# source; who unpacks that keeps them.
# shellcheck disable=SC2034
lint_scripts=$lab/lint-scripts
# shellcheck disable=SC2034
lint_wants=(checkpatch.pl coccinelle spelling.txt const_structs.checkpatch)

say() { printf '\033[1mlab:\033[0m %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

need_root() {
	[ "$(id -u)" = 0 ] ||
		die "must run as root: the lab is a chroot, and its virtual machines read it over 9p"
}

# lock NAME [FOLDER]: one command at a time works on a thing (in the cache, or in
# FOLDER); the others wait here.
lock() {
	local folder=${2:-$lab}
	mkdir -p "$folder"
	exec {lock_fd}>"$folder/$1.lock"
	flock -n "$lock_fd" && return
	say "another make works on $folder, waiting for it"
	flock "$lock_fd"
}

# in_root [-o UPPER] COMMAND...: run a command in the lab's root, with the
# checkout at /cxlmem and the cache at /lab. All mounts live in a mount
# namespace of their own, so that nothing stays mounted whatever happens, and
# the command does not outlive its caller. With -o, what it writes to the root
# goes to UPPER/up. Called in the root already, it just runs the command.
in_root() {
	local upper=
	if [ "$1" = -o ]; then
		upper=$2
		shift 2
	fi
	if [ -n "${CXLMEM_IN_LAB:-}" ]; then
		[ -z "$upper" ] || die "in_root -o does not work inside the lab's root"
		"$@"
		return
	fi
	[ -z "$upper" ] || mkdir -p "$upper/up" "$upper/work" "$upper/merged"
	upper=$upper root=$root top=$top lab=$lab \
		setpriv --pdeathsig TERM unshare --mount --propagation private \
		bash -euc '
		if [ -n "$upper" ]; then
			mount -t overlay overlay "$upper/merged" \
				-o "lowerdir=$root,upperdir=$upper/up,workdir=$upper/work"
			root=$upper/merged
		fi
		mkdir -p "$root/cxlmem" "$root/lab"
		mount --bind "$top" "$root/cxlmem"
		mount --bind "$lab" "$root/lab"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --rbind /sys "$root/sys"
		mount -t tmpfs tmpfs "$root/tmp"
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive CI="${CI:-}" \
			CXLMEM_IN_LAB=1 CXLMEM_LAB=/lab CXLMEM_ACCEL="${CXLMEM_ACCEL:-}" \
			chroot "$root" "$@"' bash "$@"
}

# go_into_root ARGUMENT...: the calling script, given its own arguments, goes
# on in the lab's root.
go_into_root() {
	[ -n "${CXLMEM_IN_LAB:-}" ] && return
	need_root
	in_root "/cxlmem/$(realpath --relative-to="$top" "$0")" "$@"
	exit
}

# The kernels of the lab, by the short name that people type.
kernel_release() {
	local release
	release=$(cat "$lab/kernel-$1" 2>/dev/null || cat "$lab/matrix-$1" 2>/dev/null) ||
		die "no kernel '$1' in the lab; it has: $(kernels | tr '\n' ' ')"
	echo "$release"
}

# All that are there; the debug kernel too, once somebody has built it. Those of
# `make matrix` are not among them.
kernels() {
	local file
	for file in "$lab"/kernel-*; do
		[ -e "$file" ] && echo "${file##*/kernel-}"
	done
}

# Those that a test run boots if none is named.
stock_kernels() { sed -n 's/^\([^# \t]\+\).*/\1/p' "$top/tests/lab/kernels"; }
