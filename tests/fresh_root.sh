#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fresh_root.sh FOLDER: that the two commands of README.md are enough on a Debian
# 12 with nothing installed.  As root; ./dev fresh runs it, prints TAP.

set -euo pipefail

FOLDER=$1
ROOT=$FOLDER/fresh
HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
COUNT=0 FAILED=0

# What is mounted here is not mounted anywhere else, processes that are left over
# end with this, and network namespaces have names of their own.
if [[ ${KEYHOLE_FRESH:-} != unshared ]]; then
	KEYHOLE_FRESH=unshared exec unshare --mount --propagation private \
		--pid --fork --kill-child "${BASH_SOURCE[0]}" "$@"
fi

inside() {
	chroot "$ROOT" env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# passes NAME COMMAND...
passes() {
	local name=$1 log=$FOLDER/fresh.$((++COUNT)).log word='ok'
	shift
	if ! "$@" >"$log" 2>&1 </dev/null; then
		word='not ok'
		FAILED=1
		tail -n 40 "$log" | sed 's/^/# /'
	fi
	echo "$word $COUNT - $name"
	tail -n 1 "$log" | sed 's/^/# /'
}

# The sources as they are here, and nothing that was built from them.
copy_sources() {
	mkdir -p "$ROOT/keyhole"
	tar -C "$HERE" --exclude=./build --exclude=./.git -cf - . |
		tar -C "$ROOT/keyhole" -xf -
}

mkdir -p "$FOLDER"
"$HERE/packaging/bare_root.sh" "$FOLDER" "$ROOT" >"$FOLDER/fresh.log" 2>&1
mount -t proc proc "$ROOT/proc"
mount --rbind /sys "$ROOT/sys"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs run "$ROOT/run"
mkdir "$ROOT/run/lock" # as at boot
copy_sources
passes './dev run --json' inside /keyhole/dev run --json
passes './dev test quick' inside /keyhole/dev test quick
echo "1..$COUNT"
exit "$FAILED"
