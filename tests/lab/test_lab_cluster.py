# SPDX-License-Identifier: MIT
"""Several registrars as one: nodes of one call those of another, through a
Redis server that comes and goes."""

import os
import subprocess
import time

from lab import Lab, wait_until
from redisd import Redis, missing_redis
from pairs import secret_file
from stations import KEYHOLE, Node, Registrar
from tap import between, equal, main, test, true
from topology import CARRIER, HOME

KEEPALIVE_S = 5


class Cluster:
    """A Redis server, two registrars, and node 2001 at the one, 2002 at the
    other, each behind a carrier and a router at home."""

    def __init__(self, lab, password=None, both=False):
        self.lab = lab
        self.redis = Redis(lab, password=password)
        self.key = os.path.join(lab.dir, 'cluster.key')
        subprocess.run([KEYHOLE, 'keygen', self.key], check=True, capture_output=True)
        self.conf = {'redis': self.redis.url, 'key_file': self.key}
        if password:
            self.conf['password_file'] = secret_file(lab, password, 'redis-password')
        self.one, self.two = self.registrar('one'), self.registrar('two')
        self.a = self.node('2001', self.one)
        self.b = self.node('2002', *([self.two, self.one] if both else [self.two]))
        for node in (self.a, self.b):
            node.wait_registered()
        self.wait_joined()

    def registrar(self, name, **more):
        return Registrar(self.lab, self.lab.host(name), name,
                         cluster={**self.conf, 'name': name, **more})

    def node(self, number, *registrars):
        carrier = self.lab.router(f'c{number}', **{'lan': 'carrier', **CARRIER})
        home = self.lab.router(f'h{number}', carrier, **{'lan': 'home', **HOME})
        node = Node(self.lab, self.lab.host(f'n{number}', home), number, start=False,
                    keepalive={'interval_s': KEEPALIVE_S},
                    registrars=[{'host': r.host.addr4, 'port': r.port, 'key': r.key}
                                for r in registrars])
        for r in (self.one, self.two):
            r.add(number, node.key)
        node.start()
        return node

    def status(self, registrar):
        return registrar.status()['cluster']

    def wait_joined(self, timeout_s=10):
        for r in (self.one, self.two):
            wait_until(lambda r=r: (self.status(r)['state'], self.status(r)['registrars']) == ('up', 2),
                       timeout_s, 'the registrars to meet')
        wait_until(lambda: len(self.redis.cli('--scan', '--pattern', 'kh:*:node:*').split()) >= 2,
                   timeout_s, 'the notes on both nodes')

    def hang_up(self):
        self.a.console('disconnect', '2002')
        wait_until(lambda: not self.a.links() and not self.b.links(), 5, 'the call to end')


def log_of(registrar):
    with open(registrar.process.log, encoding='utf-8') as f:
        return f.read()


@test
def a_node_of_one_registrar_calls_one_of_another():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab)
        got = c.a.connect('2002')
        equal(('opened', 'ipv4'), (got['path'], got['family']), 'how')
        between(0, got['dial_ms'], 400, 'dial_ms')
        print(f'# dial across: {got["dial_ms"]:.0f} ms, {got["dial_rtts"]:.1f} round trips', flush=True)
        equal((1, 1), (c.status(c.one)['opens_out'], c.status(c.two)['opens_in']), 'opens')
        wait_until(lambda: c.status(c.one)['remote_nodes'] == 1, 7, 'the other to tell of its node')
        c.hang_up()
        # And the other way.
        c.b.connect('2001')
        bad = {k: c.status(r)[k] for r in (c.one, c.two)
               for k in ('forged', 'replayed', 'stale', 'mismatched', 'dropped')}
        equal(set([0]), set(bad.values()), f'what went wrong: {bad}')
        # Nothing that tells an address or a token is in the store.
        equal(2, len(c.redis.cli('--scan').split()), 'keys in the store')


@test
def a_good_bye_is_known_at_the_other_registrar():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab)
        c.b.stop()
        wait_until(lambda: len(c.redis.cli('--scan').split()) == 1, 3, 'the note to go')
        code, said, took = c.a.refused('2002')
        true(code != 0 and 'offline' in said, f'{code}: {said}')
        between(0, took, 2, 'seconds')


@test
def a_registrar_dies_and_its_nodes_are_called_through_the_other():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab, both=True)
        wait_until(lambda: all(r['state'] == 'registered' for r in c.b.status()['registrars']), 10,
                   'both registrations')
        third = c.registrar('three')
        third.add('2001', c.a.key)
        third.add('2002', c.b.key)
        third.add('2003', c.a.key)
        caller = c.node('2003', third)
        for r in (c.one, c.two, third):
            r.add('2003', caller.key)
        caller.wait_registered()
        wait_until(lambda: c.status(third)['registrars'] == 3, 10, 'three registrars')
        c.two.process.kill()
        c.two.process.wait(5)
        began = time.monotonic()

        def reached():
            return caller.console('connect', '2002', '--wait', '10').returncode == 0
        wait_until(reached, 2 * KEEPALIVE_S, '2002 to be called through what is left')
        print(f'# called {time.monotonic() - began:.1f} s after the kill', flush=True)
        equal(1, c.status(c.one)['opens_in'], 'opens at the one that is left')


@test
def a_registrar_comes_back_and_its_nodes_too():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab)
        c.two.process.kill()
        c.two.process.wait(5)
        code, said, _ = c.a.refused('2002')
        true(code != 0 and 'offline' in said, f'{code}: {said}')
        c.two.start()
        wait_until(lambda: c.two.status()['online'] == 1, 30, '2002 to register again')
        wait_until(lambda: c.a.console('connect', '2002', '--wait', '10').returncode == 0, 10,
                   'a call')


@test
def without_redis_each_serves_its_own_and_then_all_is_well_again():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab, password='correct horse')
        local = c.node('2003', c.one)
        local.wait_registered()
        c.redis.kill()
        wait_until(lambda: c.status(c.one)['state'] == 'down', 3, 'the loss to be noticed')
        code, said, took = c.a.refused('2002')
        true(code != 0 and 'offline' in said, f'{code}: {said}')
        between(0, took, 4, 'seconds to a verdict')
        c.a.connect('2003')
        time.sleep(3)
        equal(1, log_of(c.one).count('until it is back'), 'lines about it in the log')
        c.redis.start()
        c.wait_joined(15)
        c.a.connect('2002')


@test
def a_redis_that_hangs_holds_nobody_up():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab)
        local = c.node('2003', c.one)
        local.wait_registered()
        c.redis.freeze()
        code, said, took = c.a.refused('2002')
        true(code != 0 and 'offline' in said, f'{code}: {said}')
        between(0, took, 6, 'seconds to a verdict')
        c.a.connect('2003')
        wait_until(lambda: c.status(c.one)['state'] == 'down', 25, 'it to be given up')
        c.redis.freeze(False)
        c.wait_joined(45)
        c.a.connect('2002')


@test
def a_wrong_password_or_key_is_said():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab, password='correct horse')
        wrong = c.registrar('three', password_file=secret_file(lab, 'battery staple', 'wrong'))
        wait_until(lambda: 'WRONGPASS' in c.status(wrong)['why'], 5, 'the complaint')
        # Another key is another cluster: neither sees the other.
        key = os.path.join(lab.dir, 'other.key')
        subprocess.run([KEYHOLE, 'keygen', key], check=True, capture_output=True)
        other = c.registrar('four', key_file=key)
        wait_until(lambda: c.status(other)['state'] == 'up', 5, 'the other cluster')
        time.sleep(6)
        equal((1, 2), (c.status(other)['registrars'], c.status(c.one)['registrars']), 'registrars')


@test
def redis_is_reached_by_ipv6_and_by_a_path_too():
    with Lab(delay_ms=10) as lab:
        c = Cluster(lab)
        by6 = c.registrar('three', redis=c.redis.url6)
        by_path = c.registrar('four', redis=c.redis.url_path)
        wait_until(lambda: [c.status(r)['registrars'] for r in (c.one, by6, by_path)] == [4, 4, 4], 10,
                   'all four registrars to meet')


if __name__ == '__main__':
    main(missing_redis())
