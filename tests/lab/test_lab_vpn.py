# SPDX-License-Identifier: MIT
"""A node behind a tunnel to a server of its own, which forwards IAX2 to it.

The rules are those of packaging/vpn.  A pair of Ethernet devices without ARP
stands for the tunnel: like WireGuard, it asks nobody who is at the other end.
"""

import os
import re
import time

from asterisk import Asterisk
from lab import missing, wait_until
from pairs import Pair, secret_file
from sound import sweep
from stations import ROOT, Node
from tap import equal, main, test, true

VPN = os.path.join(ROOT, 'packaging', 'vpn')
MAC = '02:00:00:00:45:69'


def wg_quick(name, interface='wg0'):
    """The settings of a file for wg-quick: [(name, value)]."""
    with open(os.path.join(VPN, name), encoding='ascii') as f:
        rows = re.findall(r'^(\w+) = (.*)$', f.read(), re.M)
    return [(k, v.replace('%i', interface)) for k, v in rows]


def of(settings, name):
    return [v for k, v in settings if k == name]


class Tunnel:
    """Both ends of the documentation's tunnel, brought up as wg-quick would."""

    def __init__(self, lab, node, server):
        self.node, self.server, self._dir = node, server, lab.dir

    def up(self):
        self.node.ip([f'link add wg0 address {MAC} type veth peer name wg0 address {MAC} '
                      f'netns {self.server.ns.name}'])
        self._end(self.server, wg_quick('server-wg0.conf'), 'main')
        self._end(self.node, wg_quick('node-wg0.conf'))

    def _end(self, site, settings, table=None):
        site.ip([f'addr add {of(settings, "Address")[0]} dev wg0', 'link set wg0 arp off up'])
        table = table or of(settings, 'Table')[0]
        site.ip([f'route replace {net} dev wg0 table {table}' for net in of(settings, 'AllowedIPs')])
        for command in of(settings, 'PostUp'):
            site.run(self._here(command).split())

    def down(self):
        for site, name in ((self.node, 'node'), (self.server, 'server')):
            for command in of(wg_quick(f'{name}-wg0.conf'), 'PreDown'):
                site.run(self._here(command).split())
        self.node.ip(['link del wg0'])

    @staticmethod
    def _here(command):
        return command.replace('/etc/wireguard/keyhole.nft', os.path.join(VPN, 'server-forward.nft'))


class Vpn(Pair):
    """A pair whose node is behind a router that lets nothing in, and a tunnel.

    A rule at its uplink counts what leaves of IAX2 there.
    """

    up_first = True

    def _make(self, codecs, registrar, pbx):
        lab = self.lab
        self.pbx = lab.stack.enter_context(Asterisk(lab.host('pbx', ipv6=False), '1999', secret='s'))
        self.server = lab.host('server', ipv6=False)
        home = lab.router('home', firewall='drop')
        site = lab.host('node', home)
        site.run(['nft', '-f', '-'], text='''
            table ip watch {
                chain out {
                    type filter hook output priority 0
                    oifname "eth0" udp sport 4569 counter
                    oifname "eth0" udp dport 4569 counter
                }
            }''')
        # The strictest that an operator may have set.
        site.run(['sysctl', '-q', '-w', 'net.ipv4.conf.all.rp_filter=1'])
        self.tunnel = Tunnel(lab, site, self.server)
        if self.up_first:
            self.tunnel.up()
        peer = {'number': '1999', 'host': self.pbx.addr, 'secret_file': secret_file(lab, 's')}
        self.node = Node(lab, site, '2001', None, peers=[peer], iax2={'interface': 'wg0'},
                         jitter={'min_ms': 120})
        wait_until(self.node.status, 10, 'the node to start')
        self.wav = sweep(os.path.join(lab.dir, 'sweep.wav'))

    def called(self, **dial):
        call = self.pbx.dial(self.server.addr4, '2001', **dial).wait_state('up')
        self.is_up('in')
        return call

    def reached(self, timeout_s=5):
        """It answers at the server's address, as soon as it does."""
        deadline = time.monotonic() + timeout_s
        while True:
            call = self.pbx.dial(self.server.addr4, '2001')
            try:
                return call.wait_state('up', 1)
            except Exception:
                if time.monotonic() > deadline:
                    raise

    def log(self):
        with open(self.node.process.log, encoding='utf-8') as f:
            return f.read()

    def nothing_leaked(self):
        said = self.node.host.run(['nft', 'list', 'table', 'ip', 'watch']).stdout
        equal(['0', '0'], re.findall(r'counter packets (\d+)', said), 'IAX2 beside the tunnel')


class LateVpn(Vpn):
    up_first = False


@test
def a_plain_peer_calls_through_the_server_and_both_hear_each_other():
    with Vpn() as pair:
        call = pair.called()
        pair.speak_both_ways(call)
        equal(f'{pair.pbx.addr}:4569', pair.link()['peer'], "the caller's address at the node")
        call.hangup()
        pair.nothing_leaked()


@test
def the_node_calls_through_the_server():
    with Vpn() as pair:
        pair.speak_both_ways(pair.calls())
        equal({(pair.server.addr4, 4569)}, {addr for _, _, addr in pair.pbx.got}, 'where it comes from')
        pair.nothing_leaked()


@test
def a_tunnel_that_comes_later_is_used():
    with LateVpn() as pair:
        true('there is no interface wg0: waiting for it' in pair.log(), 'it says so')
        true(pair.node.console('connect', '1999', '--wait', '1').returncode != 0, 'no call meanwhile')
        pair.tunnel.up()
        wait_until(lambda: 'interface wg0 is in use' in pair.log(), 5, 'the tunnel to be used')
        pair.speak_both_ways(pair.called())
        pair.nothing_leaked()


@test
def a_call_outlives_a_tunnel_that_goes_and_comes_back():
    with Vpn() as pair:
        call = pair.called()
        pair.tunnel.down()
        wait_until(lambda: 'there is no interface wg0' in pair.log(), 5, 'the loss to be seen')
        pair.tunnel.up()
        wait_until(lambda: 'interface wg0 is in use' in pair.log(), 5, 'the tunnel to be used')
        # It asks the peer for a sign of life first.
        wait_until(lambda: pair.link()['state'] == 'up', 5, 'the link to be found well')
        pair.is_well(call)
        equal(1, pair.log().count('waiting for it'), 'lines about it')
        pair.nothing_leaked()


if __name__ == '__main__':
    main(missing())
