# SPDX-License-Identifier: MIT
"""The lab's NATs are what they are called, told from outside (RFC 5780)."""

import os
import time

from lab import (ADDRESS, ADDRESS_PORT, INDEPENDENT, Lab, classify, missing,
                 plain_new, receive)
from tap import equal, main, test, true

# kind: mapping, filtering, whether ports are kept, the step between new ones.
EXPECTED = {
    'full-cone': (INDEPENDENT, INDEPENDENT, True, None),
    'restricted': (INDEPENDENT, ADDRESS, True, None),
    'port-restricted': (INDEPENDENT, ADDRESS_PORT, True, None),
    'symmetric-random': (ADDRESS_PORT, ADDRESS_PORT, False, 'random'),
    'symmetric-sequential': (ADDRESS_PORT, ADDRESS_PORT, False, 1),
    'preserving': (INDEPENDENT, ADDRESS_PORT, True, None),
    'random': (ADDRESS_PORT, ADDRESS_PORT, False, 'random'),
    'sequential': (ADDRESS_PORT, ADDRESS_PORT, False, 1),
}
LINUX = ('preserving', 'random', 'sequential')


class Bench:
    """A node behind one router, and two hosts outside."""

    def __init__(self, lab, kind, **options):
        if kind in LINUX:
            options.setdefault('firewall', 'drop')
        self.a, self.b = lab.host('a'), lab.host('b')
        self.router = lab.router('r', nat=kind, **options)
        self.node = lab.host('node', self.router)

    def seen(self, sock, server, server_sock):
        """Where the server sees a packet of sock come from, or None."""
        token = os.urandom(16)
        sock.sendto(token, (server.addr4, server_sock.getsockname()[1]))
        got = receive(server_sock, 1)
        return got[1] if got and got[0] == token else None

    def gets_in(self, sock, server_sock, mapped):
        token = os.urandom(16)
        server_sock.sendto(token, mapped)
        got = receive(sock, 0.4)
        return bool(got) and got[0] == token

    def steps(self, count=6):
        """Differences between the ports that one socket is given in a row."""
        sock = self.node.socket()
        ports = [self.seen(sock, self.a, self.a.socket())[1] for _ in range(count)]
        return [after - before for before, after in zip(ports, ports[1:])]


def check_kind(kind):
    mapping, filtering, kept, step = EXPECTED[kind]
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, kind)
        path = classify(bench.node, bench.a, bench.b)
        equal((mapping, filtering), (path.mapping, path.filtering), kind)
        true(path.translated, 'translated')
        equal(kept, path.port_preserved, 'port preserved')
        steps = bench.steps()
        if step == 'random':
            true(max(map(abs, steps)) > 100, f'random steps, not {steps}')
        else:
            equal([step or 0] * 5, steps, 'steps')
        equal(None, plain_new(bench.a, bench.router.addr4, timeout_s=0.6), 'unsolicited')


def add_kind_tests():
    for kind in EXPECTED:
        def scenario(kind=kind):
            check_kind(kind)
        scenario.__name__ = 'is_' + kind.replace('-', '_')
        test(scenario)


add_kind_tests()


@test
def mapping_by_address():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'restricted', mapping='address', ports='sequential')
        path = classify(bench.node, bench.a, bench.b)
        equal((ADDRESS, ADDRESS), (path.mapping, path.filtering))


@test
def a_taken_port_is_not_given_twice():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'full-cone')
        other = lab.host('other', bench.router)
        server = bench.a.socket()
        first, second = (bench.seen(host.socket(4569), bench.a, server)
                         for host in (bench.node, other))
        equal(4569, first[1])
        true(second[1] != 4569, 'another port for the other host')


@test
def the_unsolicited_are_answered_where_the_router_is_such():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'port-restricted', unsolicited='icmp')
        equal('icmp', plain_new(bench.a, bench.router.addr4, timeout_s=2))


def hairpin(option):
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'full-cone', hairpin=option)
        other = lab.host('other', bench.router)
        here, there = bench.node.socket(), other.socket()
        mapped = bench.seen(there, bench.a, bench.a.socket())
        here.sendto(b'around', mapped)
        got = receive(there, 0.5)
        if option == 'no':
            return equal(None, got)
        return equal((b'around', (bench.router.addr4, here.getsockname()[1])), got)


@test
def hairpins():
    hairpin('yes')


@test
def does_not_hairpin():
    hairpin('no')


def hole_ages(bench, life_s, refresh):
    """A hole used from outside alone, at half its life, then after it."""
    sock, server = bench.node.socket(), bench.a.socket()
    mapped = bench.seen(sock, bench.a, server)
    began = time.monotonic()
    for part in (0.6, 1.2):
        time.sleep(max(0, began + part * life_s - time.monotonic()))
        through = bench.gets_in(sock, server, mapped)
        if part < 1:
            true(through, 'through a young hole')
    equal(refresh == 'both', through, 'through after its life')


@test
def holes_live_as_long_as_said():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'port-restricted', refresh='outbound', hole_life_s=4)
        hole_ages(bench, 4, 'outbound')


@test
def holes_are_refreshed_from_outside_where_said():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'port-restricted', refresh='both', hole_life_s=4)
        hole_ages(bench, 4, 'both')


@test
def a_flush_forgets():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'full-cone')
        sock, server = bench.node.socket(), bench.a.socket()
        mapped = bench.seen(sock, bench.a, server)
        true(bench.gets_in(sock, server, mapped), 'before')
        bench.router.flush()
        true(not bench.gets_in(sock, server, mapped), 'after')


@test
def echoes_pass():
    with Lab(delay_ms=5) as lab:
        bench = Bench(lab, 'symmetric-random')
        bench.node.run(['ping', '-c', '1', '-W', '2', bench.a.addr4])


if __name__ == '__main__':
    main(missing())
