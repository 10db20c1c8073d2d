# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which kernels Debian's mirror has, and how to get one of them. On top of lab.sh,
# for who has the lab's root; what apt says goes to $apt_log. Sourced by bash, not run.
# shellcheck disable=SC2154 # lab.sh sets $lab, and who sources this $apt_log

# The releases of a series that there are images of, new to old.
releases() {
	in_root apt-cache pkgnames "linux-image-$1." |
		sed -n 's/^linux-image-\([0-9.]*+deb[0-9]*-amd64\)$/\1/p' | sort -rV
}

# apt's index soon loses all of an old release that is not signed (the headers,
# newer releases' modules), but the mirror's pool keeps the files, under names
# that are known. Then there is no checksum to compare with: what comes from the
# pool is as trustworthy as the way to the mirror, and is for the lab only. That
# it is whole is checked: dpkg would notice only with the half of it unpacked.
pool=$lab/pool
trap 'rm -rf "$pool"' EXIT

# fetch NAME VERSION: get a package from the pool, and print its file's name.
fetch() {
	local architecture file base
	base=$(in_root apt-get indextargets --format '$(REPO_URI)' | head -n 1)
	mkdir -p "$pool"
	for architecture in amd64 all; do
		file=$1_$2_$architecture.deb
		in_root /usr/lib/apt/apt-helper download-file \
			"${base}pool/main/l/linux/$file" "/lab/pool/$file" >>"$apt_log" 2>&1 || continue
		in_root dpkg-deb --contents "/lab/pool/$file" 2>>"$apt_log" >/dev/null || continue
		[ "$(field Package "$file") $(field Version "$file")" = "$1 $2" ] || continue
		echo "$file"
		return
	done
	return 1
}

# Fields of a fetched file.
field() { in_root dpkg-deb --field "/lab/pool/$2" "$1"; }

# Fails if apt does not know it, or knows only that others depend on it.
record() { in_root apt-cache show "$1" 2>/dev/null | grep .; }

# collect RELEASE: put into `wanted` what apt-get needs to be told to install it,
# or into `lacks` what of it cannot be had. It follows the dependencies between
# the packages of the release, which are of one version; the others are apt's.
collect() {
	local version name file depends i
	local names=("linux-image-$1" "linux-headers-$1")
	wanted=() lacks=
	version=$(record "linux-image-$1" | sed -n 's/^Version: //p' | head -n 1)
	for ((i = 0; i < ${#names[@]}; i++)); do
		name=${names[i]}
		if depends=$(record "$name=$version"); then
			depends=$(sed -n 's/^Depends: //p' <<<"$depends")
			wanted+=("$name=$version")
		elif file=$(fetch "$name" "$version"); then
			wanted+=("/lab/pool/$file")
			depends=$(field Depends "$file")
		else
			lacks+=" ${name%%-"${1%%-*}"*}"
		fi
		# Of alternatives, the first.
		for name in $(tr , '\n' <<<"$depends" | sed 's/^ *//; s/[ :|].*//' | grep -F -- "-${1%-amd64}"); do
			[[ " ${names[*]} " == *" $name "* ]] || names+=("$name")
		done
	done
	[ -z "$lacks" ]
}
