# SPDX-License-Identifier: MIT
"""What Keyhole is for: nodes that nobody can reach are dialled all the same."""

import contextlib
import json
import subprocess
import time

from lab import Lab, missing, wait_until
from stations import KEYHOLE
from tap import between, equal, long_test, main, test, true
from topology import (CARRIER, CARRIER_ICMP, CARRIER_RANDOM, FIREWALL4, FIREWALL6, HOME, World)


@contextlib.contextmanager
def two_nodes(first, second, **options):
    """2001 and 2002, each behind a router, or behind several: a tuple, the outermost first."""
    with Lab(delay_ms=25, **options) as lab:
        world = World(lab)
        nodes = [world.behind(number, *(kind if isinstance(kind, tuple) else (kind,)))
                 for number, kind in (('2001', first), ('2002', second))]
        yield world, *nodes


def dial_and_check(world, caller, target, path='opened', most_ms=400, family='ipv4'):
    """Controls, then a dial that gets through; both ends agree."""
    world.up()
    world.strangers_get_nothing(target, 6 if family == 'ipv6' else 4)
    got = caller.connect(target.number)
    equal(path, got['path'], 'path')
    equal(family, got['family'], 'family')
    between(0, got['dial_ms'], most_ms, 'dial_ms')
    wait_until(lambda: any(link['node'] == caller.number and link['state'] == 'up'
                           for link in target.links()), 2, 'the target to see the link')
    return got


@test
def both_behind_stateful_firewalls_ipv4():
    with two_nodes(FIREWALL4, FIREWALL4) as (world, a, b):
        dial_and_check(world, a, b)
        world.control_can_succeed()


@test
def both_behind_stateful_firewalls_ipv6():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.behind('2001', FIREWALL6, family=6)
        b = world.behind('2002', FIREWALL6, family=6)
        dial_and_check(world, a, b, family='ipv6')


@test
def target_behind_double_nat_caller_public():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.public('2001')
        b = world.behind('2002', CARRIER, HOME)
        dial_and_check(world, a, b)
        world.control_can_succeed()


@test
def both_behind_double_nat():
    with two_nodes((CARRIER, HOME), (CARRIER, HOME)) as (world, a, b):
        got = dial_and_check(world, a, b)
        # Four round trips of the lab's own 50 ms, and what two processes need of two cores.
        between(3.99, got['dial_ms'] / 50, 6, 'dial in round trips')


@test
def target_behind_a_port_translating_nat_caller_public():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.public('2001')
        b = world.behind('2002', CARRIER_RANDOM)
        dial_and_check(world, a, b)


@test
def target_behind_a_port_translating_nat_caller_behind_a_port_preserving_one():
    with two_nodes(CARRIER, CARRIER_RANDOM, log_packets=False) as (world, a, b):
        dial_and_check(world, a, b, path='predicted', most_ms=9500)
        # The link stays on the socket that was found: it carries a HANGUP.
        a.console('disconnect', '2002')
        wait_until(lambda: not b.links(), 3, 'the link to end')


@test
def caller_behind_a_port_translating_nat_target_behind_a_port_preserving_one():
    with two_nodes(CARRIER_RANDOM, CARRIER, log_packets=False) as (world, a, b):
        dial_and_check(world, a, b, path='predicted', most_ms=9500)


@long_test
def idle_for_three_hole_lives_then_dialled():
    carrier, home = ({**kind, 'hole_life_s': 15} for kind in (CARRIER, HOME))
    with two_nodes(carrier, (carrier, home)) as (world, a, b):
        world.up()
        time.sleep(46)
        dial_and_check(world, a, b)


@test
def dialable_again_after_the_carrier_address_changed():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        carrier = world.outside['2002']
        world.up()
        old = carrier.addr4
        carrier.change_address()
        true(carrier.addr4 != old, 'another address')
        began = time.monotonic()
        wait_until(lambda: any(carrier.addr4 in str(r['apparent']) for r in b.status()['registrars']),
                   20, 'the node to notice')
        dial_and_check(world, a, b)
        between(0, time.monotonic() - began, 20, 'seconds until dialled again')


def nats_that_answer(first, second):
    # Each time in a fresh lab: no hole or note of one dial helps the next.
    for _ in range(3):
        with two_nodes(first, second) as (world, a, b):
            world.up()
            got = a.connect('2002')
            equal('opened', got['path'], 'path')
            between(0, got['dial_ms'], 400, 'dial_ms')
            world.strangers_get_nothing(b)


@test
def nats_that_answer_with_icmp_at_both_ends():
    nats_that_answer(CARRIER_ICMP, CARRIER_ICMP)


@test
def nat_that_answers_with_icmp_at_the_target():
    nats_that_answer(CARRIER, CARRIER_ICMP)


@test
def nat_that_answers_with_icmp_at_the_caller():
    nats_that_answer(CARRIER_ICMP, CARRIER)


@test
def any_one_packet_of_the_flow_lost():
    with Lab(delay_ms=25) as lab:
        world = World(lab, limits={'opens_per_min': 600})  # it dials all the time
        a, b = world.behind('2001', CARRIER), world.behind('2002', CARRIER, HOME)
        world.up()
        world.strangers_get_nothing(b)
        # How many packets a dial without loss takes, as the internet saw them.
        world.lab.wan.reset()
        a.connect('2002')
        count = world.lab.wan.stats()['packets']
        true(count >= 10, f'{count} packets is no whole flow')
        slowest = 0
        for n in range(1, count + 1):
            a.console('disconnect', '2002')
            wait_until(lambda: not b.links() and not a.links(), 5, 'the link to end')
            rule = world.lab.wan.drop_nth(n)
            got = a.connect('2002')
            slowest = max(slowest, got['dial_ms'])
            world.lab.wan.clear(rule)
        print(f'# {count} packets; slowest dial with one lost: {slowest:.0f} ms')
        between(0, slowest, 1500, 'slowest dial with one packet lost, ms')


@test
def dialled_with_loss_and_disorder():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        world.lab.wan.loss(0.1, seed=7)
        world.lab.wan.dup(0.1)
        world.lab.wan.reorder(0.1)
        for _ in range(5):
            a.connect('2002')
            a.console('disconnect', '2002')
            wait_until(lambda: not a.links() and not b.links(), 8, 'the link to end')


@long_test
def offline_unknown_and_refusing_nodes_are_told_apart():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        c = world.behind('2003', CARRIER, accept={'deny': ['2001']})
        d = world.behind('2004', CARRIER)
        world.up()
        b.stop()
        d.process.kill()
        d.process.wait(5)
        for number, words in (('2002', 'is offline'), ('2777', 'no node of that number'),
                              ('2003', 'refuses calls'), ('2004', 'does not answer')):
            code, said, seconds = a.refused(number)
            equal(1, code, f'exit status for {number}')
            true(words in said, f'{number}: want {words!r} in {said!r}')
            between(0, seconds, 5, f'seconds until told about {number}')
        true(any('refused a call from 2001' in line for line in open(c.process.log)),
             'the refusing node logs whom it refused and why')
        # One that is killed without a word is offline after a while.
        wait_until(lambda: 'is offline' in a.refused('2004')[1], 60, 'the killed node to be offline')


@test
def dialled_by_address():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        seen = b.status()['registrars'][0]['apparent']
        equal('2002', a.connect(seen)['link']['node'], 'who is at that address')


@test
def ipv6_is_taken_where_both_have_it():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        kind = {'nat': 'preserving', 'firewall': 'drop', 'ipv6': True}
        nodes = []
        for number in ('2001', '2002'):
            node = world.behind(number, kind, start=False,
                                registrars=[{'host': 'registrar.test', 'key': world.registrar.key}])
            node.host.etc('hosts', f'{world.registrar_host.addr4} registrar.test\n'
                                   f'{world.registrar_host.addr6} registrar.test\n')
            node.start()
            nodes.append(node)
        a, b = nodes
        world.up()
        for node in nodes:
            wait_until(lambda n=node: n.status()['registrars'][0]['apparent4'] and
                       n.status()['registrars'][0]['apparent6'], 5, 'both families proved')
        equal('ipv6', a.connect('2002')['family'], 'family')
        # Without IPv6 between them it is IPv4, after the head start.
        a.console('disconnect', '2002')
        wait_until(lambda: not b.links(), 3, 'the link to end')
        lab.wan.drop(src=str(a.host.addr6), dst=str(b.host.addr6))
        lab.wan.drop(src=str(b.host.addr6), dst=str(a.host.addr6))
        got = a.connect('2002')
        equal('ipv4', got['family'], 'family without IPv6 between them')
        between(0, got['dial_ms'], 450, 'dial_ms')


@test
def a_plain_call_to_a_reachable_peer_proves_its_key():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.public('2001')
        site = lab.host('peer')
        b = world.node('2002', site, peers=[{'number': '2001', 'key': a.key}])
        world.up()
        got = a.connect(f'2002@{site.addr4}:4569')
        equal('direct', got['path'], 'path')
        a.console('disconnect', '2002')
        wait_until(lambda: not b.links(), 3, 'the link to end')
        # Somebody else under the same number has another key.
        world.node('2003', lab.host('third')).wait_registered()
        code, said, _ = world.nodes[-1].refused(f'2002@{site.addr4}:4569')
        equal(1, code, 'exit status')
        true('refused' in said, said)


@test
def two_nodes_that_dial_each_other_at_once_get_one_link():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        for node, other in ((a, '2002'), (b, '2001')):
            node.console('--json', 'connect', other)
        wait_until(lambda: [x['state'] for x in a.links()] == ['up'] and
                   [x['state'] for x in b.links()] == ['up'], 5, 'one link at each end')
        time.sleep(1)
        equal(['up'], [x['state'] for x in a.links()], 'links of 2001')
        equal(['up'], [x['state'] for x in b.links()], 'links of 2002')


@test
def a_console_that_waits_gets_the_call_of_the_node_it_wanted():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        # Nobody answers there; 2001 calls meanwhile.
        waiting = b.host.popen([KEYHOLE, '-s', b.socket, '--json', 'connect', '--permanent',
                                f'2001@{world.stranger.addr4}', '--wait', '20'],
                               stdout=subprocess.PIPE)
        wait_until(lambda: b.links(), 5, 'the dial to begin')
        a.connect('2002')
        got = json.loads(waiting.communicate(timeout=10)[0])
        equal((0, None, 'in', True), (waiting.returncode, got['dial_ms'], got['link']['direction'],
                                      got['link']['permanent']), 'what the console heard')
        equal(['up'], [x['state'] for x in b.links()], 'links of 2002')
        # Its end is not the end of a permanent link, unless the other node asks for that.
        a.stop()
        wait_until(lambda: [x['state'] for x in b.links()] == ['waiting'], 5, 'the link to wait')


@test
def a_console_that_follows_is_told_of_a_link():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        follower = a.host.popen([KEYHOLE, '-s', a.socket, 'events'])

        def is_told():
            a.connect('2002')
            a.console('disconnect', '2002')
            wait_until(lambda: not a.links() and not b.links(), 3, 'the link to end')
            with open(follower.log, encoding='ascii') as f:
                # The last line may be on its way to the file.
                events = [json.loads(line) for line in f if line.endswith('\n')]
            return any((e['event'], e.get('node')) == ('link_up', '2002') for e in events)
        # From when on it listens nobody knows.
        wait_until(is_told, 10, 'a link in what it says')


@test
def a_registrar_that_restarts_gets_its_nodes_back():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        world.registrar.process.kill()
        world.registrar.process.wait(5)
        world.registrar.start()
        wait_until(lambda: world.registrar.status()['online'] == 2, 40, 'both nodes to come back')
        dial_and_check(world, a, b)


@test
def a_stopped_node_says_good_bye():
    with two_nodes(CARRIER, CARRIER) as (world, a, b):
        world.up()
        a.connect('2002')
        began = time.monotonic()
        b.stop()
        between(0, time.monotonic() - began, 2, 'seconds to stop')
        equal(0, b.process.returncode, 'exit status')
        wait_until(lambda: [x['state'] for x in a.links()] == ['waiting'], 2,
                   'the caller to see the link end, and to wait for the node to come back')
        equal(1, world.registrar.status()['online'], 'nodes online')


if __name__ == '__main__':
    main(missing())
