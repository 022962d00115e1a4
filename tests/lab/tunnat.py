# SPDX-License-Identifier: MIT
"""Routers whose NAT is nat.c, for the kinds that Linux has not."""

import os

from netns import LabError, ip_batch, wait_until
from sites import Router
from wanctl import build_dir

TUN_TABLE = 200
TUN_KINDS = {
    'full-cone': {'mapping': 'independent', 'filtering': 'independent'},
    'restricted': {'mapping': 'independent', 'filtering': 'address'},
    'port-restricted': {'mapping': 'independent', 'filtering': 'address-port'},
    'symmetric-random': {'mapping': 'address-port', 'filtering': 'address-port',
                         'ports': 'random'},
    'symmetric-sequential': {'mapping': 'address-port', 'filtering': 'address-port',
                             'ports': 'sequential'},
}
TUN_OPTIONS = ('mapping', 'filtering', 'ports', 'hairpin', 'unsolicited', 'refresh')


class TunRouter(Router):
    """A router for IPv4 UDP and echo alone; anything else ends at it.

    The kernel asks a packet's protocol before it looks at its own addresses,
    so that what is for the external address goes through the TUN too, while
    ARP is still answered.
    """

    def __init__(self, lab, name, upstream, options, **kind):
        self._options = dict(TUN_KINDS[kind['nat']], **options)
        self._proc = None
        self._life_s = kind['hole_life_s'] or 120
        super().__init__(lab, name, upstream, **kind)
        self.ns.sysctl({'ipv4/conf/all/rp_filter': 0})
        self.ip(['tuntap add dev nat mode tun', 'link set nat txqueuelen 4096 up',
                 f'route add default dev nat table {TUN_TABLE}'])
        # What it writes comes from an address of the router itself.
        self.ns.sysctl({'ipv4/conf/nat/rp_filter': 0, 'ipv4/conf/nat/accept_local': 1})
        rules = [f'rule add pref {pref} iif {dev} ipproto {proto} lookup {TUN_TABLE}'
                 for pref, (dev, proto) in enumerate(
                     ((d, p) for d in ('wan', 'lan') for p in ('udp', 'icmp')), 5)]
        ip_batch(self.ns.name, ['rule add pref 10 lookup local',
                                'rule del pref 0 lookup local'] + rules, '-4')
        self._restart()

    def _restart(self):
        if self._proc:
            self.lab.stop(self._proc)
        words = dict(self._options, life_ms=int(self._life_s * 1000))
        self._proc = self.popen(
            [os.path.join(build_dir(), 'tests', 'lab', 'nat'), 'nat', self.addr4, self.net4]
            + [f'{key}={value}' for key, value in words.items()])
        wait_until(self._is_up, 5, f'the NAT of {self.name}', every_s=0.002)

    def _is_up(self):
        if self._proc.poll() is not None:
            raise LabError(f'nat ended with {self._proc.returncode}')
        return ' state UP ' in self.run(['ip', 'link', 'show', 'nat']).stdout

    def flush(self):
        """Forget every mapping."""
        self._restart()

    def set_hole_life(self, seconds):
        """Seconds, also parts of one, until an idle hole closes; forgets all."""
        if seconds:
            self._life_s = seconds
        if self._proc:
            self._restart()

    def forward(self, port, host, to_port=None):
        raise LabError('a TUN router forwards no ports')

    def set_firewall(self, firewall):
        raise LabError('a TUN router has no firewall but its filtering')

    def _load_rules(self):
        pass
