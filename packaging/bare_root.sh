#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bare_root.sh CACHE ROOT: unpacks a Debian 12 with nothing installed.
#
# As root.  CACHE keeps it as a tar file, fetched when it is older than a week.

set -euo pipefail

CACHE=$1
ROOT=$2
TAR=$CACHE/bare.tar
# This machine's own mirror, if it says one in either form.
MIRROR=$(sed -nE 's,^(URIs:|deb( \[.*\])?) +(https?://[^ ]+/debian/?)( .*)?$,\3,p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1) || true
MIRROR=${MIRROR:-http://deb.debian.org/debian}

make() {
	new=$CACHE/bare.$$ # the trap's too, so not local
	trap 'rm -rf --one-file-system "$new" "$TAR.$$"' EXIT
	debootstrap --variant=minbase bookworm "$new" "$MIRROR" >&2
	rm -rf "$new/var/cache/apt/archives/"*.deb
	tar -C "$new" -cf "$TAR.$$" .
	mv "$TAR.$$" "$TAR"
	rm -rf --one-file-system "$new"
	trap - EXIT
}

mkdir -p "$CACHE"
exec 8>"$CACHE/.lock"
flock 8
if [[ ! $(find "$TAR" -mtime -7 2>/dev/null) ]]; then
	make
fi
rm -rf --one-file-system "$ROOT"
mkdir -p "$ROOT"
tar -C "$ROOT" -xf "$TAR"
cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf" # of the host, as it is now
