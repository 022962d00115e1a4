# SPDX-License-Identifier: MIT
"""keyholed registers by user name and MD5 secret: with a peer that behaves as
Asterisk does, and with keyhole-registrar."""

import time

from asterisk import Asterisk
from lab import Lab, missing, wait_until
from pairs import SECRET, secret_file
from stations import Node, Registrar
from tap import between, equal, main, test, true

PORT = 4569


def plain(site, secret, username=None, family=4):
    """An entry of registrars."""
    entry = {'host': site.addr(family), 'port': PORT, 'secret_file': secret}
    if username:
        entry['username'] = username
    return entry


def registrar_of(node, i=0):
    return (node.status() or {'registrars': [{}]})['registrars'][i]


class Scene:
    """A scripted registrar, and a node that knows its secret."""

    def __init__(self, family=4, secret=SECRET, nat=None, late=False):
        self.family, self.secret, self.nat, self.late = family, secret, nat, late

    def __enter__(self):
        self.lab = Lab(delay_ms=10)
        self.lab.__enter__()
        self.pbx_site = self.lab.host('pbx')
        home = self.lab.router('carrier', nat=self.nat) if self.nat else None
        self.site = self.lab.host('home', upstream=home)
        self.pbx = None if self.late else self.registrar()
        self.node = Node(self.lab, self.site, '2001', registrars=[
            plain(self.pbx_site, secret_file(self.lab, self.secret), family=self.family)])
        return self

    def __exit__(self, kind, value, trace):
        self.pbx.__exit__(kind, value, trace)
        self.lab.__exit__(kind, value, trace)

    def registrar(self):
        self.pbx = Asterisk(self.pbx_site, 'pbx', family=self.family)
        self.pbx.clients['2001'] = SECRET
        return self.pbx

    def wait_up(self, timeout_s=10):
        wait_until(lambda: registrar_of(self.node).get('state') == 'registered', timeout_s,
                   'the node to register')


@test
def a_node_registers_with_asterisk_and_says_good_bye():
    for family in (4, 6):
        with Scene(family) as scene:
            scene.wait_up()
            seen = registrar_of(scene.node)
            addr = scene.site.addr(family)
            where = f'{addr}:{PORT}' if family == 4 else f'[{addr}]:{PORT}'
            equal((addr, PORT), scene.pbx.registered['2001'], 'where the registrar calls it')
            equal(where, seen['apparent'], 'apparent')
            equal('plain', seen['kind'], 'kind')
            true(seen['rtt_ms'] >= 20, f'rtt {seen["rtt_ms"]} ms')
            wait_until(lambda: not any(d.unacked for d in scene.pbx.dialogues), 1,
                       'all to be acknowledged')
            begun = time.monotonic()
            scene.node.stop()
            between(0, time.monotonic() - begun, 2, 'seconds to the end')
            equal({}, scene.pbx.registered, 'still registered')


@test
def behind_a_translator_it_is_the_call_socket_that_is_registered():
    with Scene(nat='preserving') as scene:
        scene.wait_up()
        equal(registrar_of(scene.node)['apparent'],
              '{}:{}'.format(*scene.pbx.registered['2001']), 'apparent')
        # What the registrar has noted is the port that calls come in on.
        equal(PORT, scene.pbx.registered['2001'][1], 'port')
        scene.pbx.poke(*scene.pbx.registered['2001'])


@test
def a_wrong_secret_is_said_and_not_tried_often():
    with Scene(secret='wrong') as scene:
        wait_until(lambda: 'Registration Refused' in registrar_of(scene.node).get('why', ''), 10,
                   'the refusal to be told')
        equal(['2001'], scene.pbx.refused, 'tries')
        time.sleep(3)
        equal(['2001'], scene.pbx.refused, 'tries')
        true(registrar_of(scene.node)['state'] != 'registered', 'state')


@test
def a_registrar_that_is_silent_at_first_gets_its_node():
    with Scene(late=True) as scene:
        time.sleep(2.5)
        true(registrar_of(scene.node)['state'] != 'registered', 'state')
        scene.registrar()
        scene.wait_up(20)


@test
def our_registrar_takes_a_node_by_name_and_secret_and_ours_beside_it():
    with Lab(delay_ms=10) as lab:
        secret = secret_file(lab)
        one = Registrar(lab, lab.host('one'), 'one')
        other = Registrar(lab, lab.host('other'), 'other')
        equal(0, one.command('node', 'add', 'club.2001', '--md5-secret', secret).returncode, 'node add')
        node = Node(lab, lab.host('home'), '2001', start=False, registrars=[
            plain(one.host, secret, 'club.2001'),
            {'host': other.host.addr4, 'port': PORT, 'key': other.key}])
        other.add('2001', node.key)
        node.start()
        wait_until(lambda: [r['state'] for r in (node.status() or {'registrars': []})['registrars']] ==
                   ['registered'] * 2, 10, 'both registrations')
        equal((1, 1), (one.status()['plain']['online'], other.status()['online']), 'online')
        equal(['plain', 'openover'], [r['kind'] for r in node.status()['registrars']], 'kinds')
        node.stop()
        wait_until(lambda: (one.status()['plain']['online'], other.status()['online']) == (0, 0), 3,
                   'both good-byes')


if __name__ == '__main__':
    main(missing())
