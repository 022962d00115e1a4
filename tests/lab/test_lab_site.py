# SPDX-License-Identifier: MIT
"""Nodes that share a router, or a carrier, and dial each other."""

from lab import Lab, missing, wait_until
from tap import between, equal, long_test, main, test, true
from topology import CARRIER_ICMP, HOME, World

ROUTERS = {
    'that_keeps_silent': HOME,
    'that_answers_with_icmp': CARRIER_ICMP,
    'that_rejects': {'nat': 'preserving', 'firewall': 'reject'},
    'that_turns_packets_back': {'nat': 'full-cone', 'hairpin': 'yes'},
    'that_turns_packets_back_and_changes_ports': {'nat': 'symmetric-random', 'hairpin': 'yes'},
    'that_changes_ports': {'nat': 'symmetric-random', 'hairpin': 'no'},
    'that_changes_ports_and_answers': {'nat': 'symmetric-sequential', 'unsolicited': 'icmp'},
}


def neighbours(kind):
    """One round trip to the registrar in another country, none between the two."""
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        router = lab.router('shared', **kind)
        a, b = (world.node(n, lab.host(f'host{n}', router)) for n in ('2001', '2002'))
        world.up()
        got = a.connect('2002')
        equal(f'{b.host.addr4}:4569', got['link']['peer'], 'where the caller calls')
        wait_until(lambda: any(link['state'] == 'up' for link in b.links()), 2, 'the link')
        equal(f'{a.host.addr4}:4569', b.links()[0]['peer'], 'where the target is called from')
        equal('opened', got['path'], 'path')
        between(0, got['dial_ms'], 200, 'dial_ms')


def add_neighbour_tests():
    for name, kind in ROUTERS.items():
        def scenario(kind=kind):
            neighbours(kind)
        scenario.__name__ = f'neighbours_behind_a_router_{name}'
        test(scenario)


add_neighbour_tests()


def customers(carrier):
    """Two homes with the same private addresses, behind one carrier."""
    lab = carrier.lab
    world = World(lab)
    nodes = []
    for number in ('2001', '2002'):
        home = lab.router(f'home{number}', carrier, nat='preserving', firewall='drop')
        nodes.append(world.node(number, lab.host(f'host{number}', home)))
    world.up()
    return nodes


@test
def customers_of_a_carrier_that_turns_packets_back_lose_no_time():
    with Lab(delay_ms=25) as lab:
        a, b = customers(lab.router('carrier', nat='port-restricted', hairpin='yes', lan='carrier'))
        got = a.connect('2002')
        true(got['link']['peer'].startswith('203.0.113.'), f'want the public address: {got}')
        # Two round trips through the registrar, and the wait for a neighbour.
        between(0, got['dial_ms'], 250, 'dial_ms')
        wait_until(lambda: any(link['state'] == 'up' for link in b.links()), 2, 'the link')


@long_test
def customers_of_a_carrier_that_does_not_are_told_so():
    with Lab(delay_ms=25) as lab:
        a, _ = customers(lab.router('carrier', nat='port-restricted', hairpin='no', lan='carrier'))
        code, said, seconds = a.refused('2002', 15)
        equal(1, code, 'exit status')
        true('no packet gets through' in said and 'tried' in said, said)
        between(0, seconds, 10, 'seconds to the verdict')


if __name__ == '__main__':
    main(missing())
