#!/bin/bash
# SPDX-License-Identifier: MIT
#
# package_life.sh DEBS CACHE: the packages come, are upgraded and go, in a bare
# Debian.  As root; needs this machine's own architecture in DEBS.  Prints TAP.

set -euo pipefail

DEBS=$1
ROOT=$2/life
HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
COUNT=0 FAILED=0

if [[ ${KEYHOLE_LIFE:-} != unshared ]]; then
	KEYHOLE_LIFE=unshared exec unshare --mount --propagation private \
		"${BASH_SOURCE[0]}" "$@"
fi

inside() {
	chroot "$ROOT" env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# passes NAME COMMAND...
passes() {
	local name=$1 word='ok' said
	shift
	if ! said=$("$@" 2>&1 </dev/null); then
		word='not ok'
		FAILED=1
	fi
	echo "$word $((++COUNT)) - $name"
	[[ $word == ok ]] || tail -n 30 <<<"$said" | sed 's/^/# /'
}

# install WHAT...: as if a person had to answer; without an answer it fails.
# The names may have wildcards.
install() {
	inside env -u DEBIAN_FRONTEND \
		sh -c "apt-get -qy --no-install-recommends install $*"
}

# What has the name: files, users and groups.
traces() {
	local files names
	files=$(inside find / -xdev \( -path /proc -o -path /debs -o -path /var/lib/apt \
		-o -path /var/cache -o -path /var/log \) -prune -o -iname '*keyhole*' -print) &&
		names=$(inside getent passwd && inside getent group) || return
	grep -i keyhole <<<"$files"$'\n'"$names" || (($? == 1))
}

nothing_is_left() {
	local left
	left=$(traces) || return
	echo "$left"
	[[ ! $left ]]
}

mode() {
	[[ $(inside stat -c '%a %U:%G' "$1") == "$2" ]]
}

# secret USER: a password of its service, as setup leaves it.
secret() {
	inside install -m 600 -o "$1" -g "$1" /etc/hostname "/etc/keyhole/$1.password"
}

# secrets_are USER: those of this one, and of nobody else.
secrets_are() {
	local have
	have=$(inside find /etc/keyhole -name '*.password' -printf '%f %m %u\n') || return
	echo "$have"
	[[ $have == "$1.password 600 $1" ]]
}

rules_are_kept() {
	inside test -s /etc/keyhole/keyholed.conf &&
		[[ $KEY && $(inside keyhole pubkey /var/lib/keyhole/node.key) == "$KEY" ]] &&
		mode /var/lib/keyhole/node.key '600 keyhole:keyhole'
}

older() {
	local deb
	for deb in "$ROOT/debs/"keyhole*.deb; do
		rm -rf "$ROOT/older"
		dpkg-deb -R "$deb" "$ROOT/older"
		sed -i 's/^\(Version: .*\)$/\1~older/' "$ROOT/older/DEBIAN/control"
		dpkg-deb --root-owner-group -b "$ROOT/older" "$ROOT/debs/older_${deb##*/}"
	done
	rm -rf "$ROOT/older"
}

writes_a_configuration() {
	inside sh -c "echo 'node = { number = \"2001\"; };' >/etc/keyhole/keyholed.conf" &&
		inside setpriv --reuid keyhole --regid keyhole --init-groups \
			keyhole keygen /var/lib/keyhole/node.key &&
		inside keyholed -c /etc/keyhole/keyholed.conf --check
}

"$HERE/packaging/bare_root.sh" "$2" "$ROOT" >&2
mount -t proc proc "$ROOT/proc"
mount --bind /dev "$ROOT/dev"
mkdir "$ROOT/debs"
cp "$DEBS/"keyhole{,-registrar}_*_"$(dpkg --print-architecture)".deb \
	"$DEBS/"keyhole-sounds_*_all.deb "$ROOT/debs"
older >/dev/null
inside apt-get -q update >&2
# What they need stays when they go, as on a machine in use.
passes 'the packages come' install systemd udev \
	'/debs/older_*.deb'
passes 'the services are enabled' inside systemctl is-enabled keyholed keyhole-registrar
passes 'the node has its groups' inside sh -c 'id -nG keyhole | grep audio | grep plugdev'
passes 'there is no configuration yet' inside sh -c '! ls /etc/keyhole/*'
passes 'the folder of keys is the node'\''s own' mode /var/lib/keyhole '700 keyhole:keyhole'
passes 'a configuration and a key are made' writes_a_configuration
KEY=$(inside keyhole pubkey /var/lib/keyhole/node.key 2>/dev/null || true)
passes 'they are upgraded without a question' install '/debs/keyhole*.deb'
passes 'settings and key are as before' rules_are_kept
passes 'the node has a password' secret keyhole
passes 'the registrar has a password' secret keyhole-registrar
passes 'the registrar is purged' inside apt-get -qy purge keyhole-registrar
passes 'its passwords are gone, the node'\''s are not' secrets_are keyhole
passes 'its user is gone' inside sh -c '! id keyhole-registrar'
passes 'the node'\''s settings and key are not' rules_are_kept
passes 'the node is removed' inside apt-get -qy remove keyhole
passes 'its settings and key stay' inside test -s /etc/keyhole/keyholed.conf \
	-a -s /var/lib/keyhole/node.key
passes 'both come again' install '/debs/keyhole*.deb'
passes 'with them' rules_are_kept
passes 'the registrar has a password again' secret keyhole-registrar
passes 'the node is purged' inside apt-get -qy purge keyhole keyhole-sounds
passes 'its user is gone' inside sh -c '! id keyhole'
passes 'its passwords are gone, the registrar'\''s are not' secrets_are keyhole-registrar
passes 'the registrar is purged too' inside apt-get -qy purge keyhole-registrar
passes 'nothing is left' nothing_is_left
echo "1..$COUNT"
exit "$FAILED"
