# SPDX-License-Identifier: MIT
"""Nodes measure the networks that they are behind, and the doctor says so.

All sites are in one lab at once: a hole that stays open for two minutes takes
some minutes to measure, whoever else is measured meanwhile.
"""

import os

from lab import Lab, missing, wait_until
from stations import Node, Registrar, second_address, with_second_address
from tap import between, equal, main, test, true

TCP4 = '203.0.113.200'
INDEPENDENT, PORT, ADDRESS = ('endpoint-independent', 'address-and-port-dependent',
                              'address-dependent')


def registrar_with_two_addresses(lab):
    host = lab.host('registrar')
    return Registrar(lab, host, **with_second_address(lab, host))


class Sites:
    """Nodes, each behind a router of its own kind."""

    def __init__(self, lab, registrar):
        self.lab = lab
        self.registrar = registrar
        self.nodes = {}
        self.routers = {}

    def add(self, kind, family=4, **router):
        number = str(2001 + len(self.nodes))
        if router:
            self.routers[kind] = self.lab.router(f'r{number}', **router)
        host = self.lab.host(f'h{number}', self.routers.get(kind))
        self.nodes[kind] = Node(self.lab, host, number, self.registrar, family=family)
        return self.nodes[kind]

    def reach(self, kind):
        return (self.nodes[kind].status() or {}).get('reach', {})

    def wait(self, what, timeout_s):
        for kind in self.nodes:
            wait_until(lambda kind=kind: what(self.reach(kind)), timeout_s,
                       f'{kind} to be measured')


def is_known(reach):
    return 'unknown' not in (reach.get('filtering', 'unknown'), reach.get('mapping'))


@test
def every_kind_of_translator_is_told_by_its_name():
    want = {
        'public': ('none', INDEPENDENT, True),
        'full-cone': (INDEPENDENT, INDEPENDENT, None),
        'restricted': (INDEPENDENT, ADDRESS, None),
        'port-restricted': (INDEPENDENT, PORT, None),
        'symmetric-random': (PORT, PORT, False),
        'symmetric-sequential': (PORT, PORT, False),
    }
    with Lab(delay_ms=25) as lab:
        sites = Sites(lab, registrar_with_two_addresses(lab))
        for kind in want:
            sites.add(kind, **({} if kind == 'public' else {'nat': kind}))
        sites.wait(is_known, 40)
        for kind, (mapping, filtering, preserved) in want.items():
            reach = sites.reach(kind)
            equal((mapping, filtering), (reach['mapping'], reach['filtering']), kind)
            if preserved is not None:
                equal(preserved, reach['port_preserved'], f'{kind}: port preserved')
            true(reach['verdict'].endswith('.'), reach['verdict'])
            equal('none', reach['ipv6'], f'{kind}: IPv6')
        equal(1, sites.reach('symmetric-sequential')['port_delta'], 'the step')
        equal(0, sites.reach('symmetric-random')['port_delta'], 'no step')
        status, found = sites.nodes['symmetric-random'].doctor()
        equal(1, status, 'exit status')
        equal('warn', found['mapping'][0]['state'], 'a mapping that is no good')
        true('forward' in found['mapping'][0]['mend'], 'what to do about it')
        status, found = sites.nodes['full-cone'].doctor()
        equal((0, 'ok'), (status, found['mapping'][0]['state']), 'a good one')


@test
def hole_lives_of_15_30_and_120_seconds_are_found():
    with Lab(delay_ms=25, log_packets=False) as lab:
        sites = Sites(lab, registrar_with_two_addresses(lab))
        # Two minutes take four; with sanitizers that shows nothing new.
        for life_s in (15, 30) if os.environ.get('KEYHOLE_LAB_SHORT') else (15, 30, 120):
            sites.add(life_s, nat='preserving', firewall='drop', hole_life_s=life_s)
        sites.wait(lambda reach: reach.get('hole_life_s') is not None, 330)
        for life_s, node in sites.nodes.items():
            reach = sites.reach(life_s)
            between(0.85 * life_s, reach['hole_life_s'], life_s, f'hole of {life_s} s')
            between(0.7 * life_s, reach['keepalive_s'], 0.95 * life_s, f'PINGs for {life_s} s')
            between(0.85 * life_s, reach['hole_life_s'], life_s, f'hole of {life_s} s')
            true(not reach['hole_life_at_least'], 'it was seen to close')
            true(reach['octets_per_day'] > 0, 'octets a day')
            status, found = node.doctor()
            equal(1 if life_s < 20 else 0, status, 'exit status')
            equal('warn' if life_s < 20 else 'ok', found['hole'][0]['state'], f'{life_s} s')
        # The way is kept open as rarely as that, and serves.
        sites.nodes[15].connect(sites.nodes[life_s].number)


@test
def ipv6_is_open_or_firewalled_and_tcp_may_leave_by_another_address():
    with Lab(delay_ms=25) as lab:
        sites = Sites(lab, registrar_with_two_addresses(lab))
        sites.add('open', family=6)
        sites.add('walled', family=6, nat=None, firewall='drop', ipv4=False, ipv6=True)
        sites.add('tcp', nat='preserving', firewall='drop')
        router = sites.routers['tcp']
        second_address(lab, router, TCP4, 'wan')
        router.run(['nft', 'insert', 'rule', 'ip', 'nat', 'post', 'oifname', 'wan', 'meta', 'l4proto',
                    'tcp', 'snat', 'to', TCP4])
        for kind, want in (('open', 'open'), ('walled', 'firewalled')):
            wait_until(lambda k=kind: sites.reach(k).get('ipv6') not in (None, 'unknown', 'none'), 40,
                       f'{kind} to be measured')
            equal(want, sites.reach(kind)['ipv6'], kind)
        wait_until(lambda: sites.reach('tcp').get('tcp'), 40, 'an answer over TCP')
        true(sites.reach('tcp')['tcp'].startswith(TCP4), sites.reach('tcp')['tcp'])
        status, found = sites.nodes['tcp'].doctor()
        equal(1, status, 'exit status')
        equal(['ok', 'warn'], [f['state'] for f in found['address']], 'two addresses')
        true(router.addr4 in found['address'][0]['seen'], 'that of UDP')
        equal('none', sites.reach('tcp')['ipv6'], 'IPv6')


@test
def the_doctor_fails_where_nothing_works():
    with Lab(delay_ms=25) as lab:
        registrar = registrar_with_two_addresses(lab)
        sites = Sites(lab, registrar)
        node = sites.add('known')
        node.wait_registered()
        # It asks while the measuring is under way, and waits for the end.
        status, found = node.doctor()
        equal((0, 'ok'), (status, found['mapping'][0]['state']), 'measured meanwhile')
        stranger = Node(lab, lab.host('stranger'), '2999', registrar, known=False)
        wait_until(lambda: (stranger.status() or {}).get('registrars', [{}])[0].get('why'), 10,
                   'a refusal')
        status, found = stranger.doctor()
        equal((1, 'bad'), (status, found['registrar'][0]['state']), 'not known')
        true(f'node add 2999 {stranger.key}' in found['registrar'][0]['mend'], found['registrar'][0]['mend'])
        text = stranger.console('doctor')
        equal(1, text.returncode, 'exit status')
        true('\nbad      registrar: ' in text.stdout, text.stdout)
        true(max(len(line) for line in text.stdout.splitlines()) <= 80, 'columns')


if __name__ == '__main__':
    main(missing())
