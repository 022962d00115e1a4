#!/bin/bash
# SPDX-License-Identifier: MIT
#
# cross.sh ARCH FOLDER CACHE: from the source package in FOLDER/src, packages for
# another architecture into FOLDER, tested under qemu.
#
# As root.  It happens in a Debian of its own, FOLDER/root: the libraries of two
# architectures do not all stand beside one another, and this machine keeps its
# own.  DEB_BUILD_OPTIONS=nocheck leaves the tests out.

set -euo pipefail

ARCH=$1
FOLDER=$2
CACHE=$3
ROOT=$FOLDER/root
HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# What is mounted here is not mounted anywhere else, and gone when this ends.
if [[ ${KEYHOLE_CROSS:-} != unshared ]]; then
	KEYHOLE_CROSS=unshared exec unshare --mount --propagation private \
		"$HERE/cross.sh" "$@"
fi

inside() {
	chroot "$ROOT" env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# make WANTED: the root, with what builds and runs programs of ARCH.
make() {
	"$HERE/bare_root.sh" "$CACHE" "$ROOT"
	inside dpkg --add-architecture "$ARCH"
	inside apt-get -q update
	inside apt-get -qy upgrade
	inside apt-get -qy --no-install-recommends install \
		"crossbuild-essential-$ARCH" fakeroot qemu-user "libc6:$ARCH"
	mounts
	inside sh -c "cd /build/src && apt-get -qy --no-install-recommends \
		--arch-only -a $ARCH -P cross build-dep ./"
	inside apt-get clean
	echo "$1" >"$ROOT/.made"
}

mounts() {
	mkdir -p "$ROOT/build"
	mountpoint -q "$ROOT/build" || mount --bind "$FOLDER" "$ROOT/build"
	mountpoint -q "$ROOT/proc" || mount -t proc proc "$ROOT/proc"
	mountpoint -q "$ROOT/dev" || mount --rbind /dev "$ROOT/dev"
}

wanted=$(sed -n '/^Build-Depends/,/^Standards/p' "$FOLDER/src/debian/control" |
	cat - "$HERE/cross.sh" | sha256sum)
if [[ $(cat "$ROOT/.made" 2>/dev/null) != "$wanted" ]]; then
	make "$wanted"
fi
mounts
inside DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}" sh -c "cd /build/src &&
	dpkg-buildpackage -us -uc -B -a$ARCH -Pcross"
# To whom it asked for this, who need not be root.
chown -R --reference="$FOLDER" "$FOLDER/src" "$FOLDER/"*.*
