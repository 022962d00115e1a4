# SPDX-License-Identifier: MIT
"""Every kind of network dials every other: the rung taken, and how long.

There are two matrices: with a registrar that never relays, where some pairs
cannot meet, and with one that does, where all have to.  A row is a caller in one
kind of network, and a target in each, all in one lab; every pair dials once in
it.  Printed are the rungs and the round trips from the dial to the ANSWER, the
median of the tries, or "none" and the seconds to the verdict.

KEYHOLE_MATRIX_TRIES=20 does each row so often, each time in a fresh lab;
KEYHOLE_MATRIX_TARGETS='double sym-seq' leaves the other columns out.
"""

import json
import os
import statistics
import subprocess
import time
from collections import Counter

from lab import Lab, missing, ping_ms, wait_until
from miniupnpd import Miniupnpd, missing_miniupnpd
from stations import KEYHOLE
from tap import Inexact, between, equal, main, test, true
from topology import CARRIER, FIREWALL6, HOME, World

TRIES = int(os.environ.get('KEYHOLE_MATRIX_TRIES', '1'))
DELAY_MS = 25
RTT_MS = 2 * DELAY_MS
WAIT_S = 15
VERDICT_S = 10
KINDS = {
    'public': None,
    'full-cone': ({'nat': 'full-cone'},),
    'restricted': ({'nat': 'restricted'},),
    'port-restricted': ({'nat': 'port-restricted'},),
    'sym-random': ({'nat': 'symmetric-random'},),
    'sym-seq': ({'nat': 'symmetric-sequential'},),
    'double': ({'nat': 'preserving', 'firewall': 'drop', 'lan': 'carrier'}, HOME),
    'upnp': (HOME,),
    'firewall6': (dict(FIREWALL6),),
}
TARGETS = os.environ.get('KEYHOLE_MATRIX_TARGETS', ' '.join(KINDS)).split()
# miniupnpd opens nothing at an address of a documentation's.
GLOBAL = '203.0.114'

# What a pair is held to: how it is reached, or why it is not.
OPENED, MAPPED, PREDICTED, RELAYED = 'opened', 'mapped', 'predicted', 'relayed'
NO_FAMILY, NO_ORDER = 'this node has only IPv', 'ports random at'
FILTERS_PORTS = ('port-restricted', 'double')
SYMMETRIC = ('sym-random', 'sym-seq')


def expected(caller, target):
    pair = {caller, target}
    if 'firewall6' in pair:
        return OPENED if len(pair) == 1 else NO_FAMILY
    # The router lets anybody in: a caller's ports do not matter, nor a target's.
    if target == 'upnp':
        return MAPPED
    if caller in SYMMETRIC and target in SYMMETRIC:
        return PREDICTED if pair == {'sym-seq'} else NO_ORDER
    # Where the other filter does not look at ports, a new port is no hindrance.
    if pair & set(SYMMETRIC) and pair & set(FILTERS_PORTS):
        return PREDICTED
    return OPENED


def expected_with_relay(caller, target):
    """The rungs that are right: a relay is the last one, but there in time."""
    alone = expected(caller, target)
    if alone in (NO_FAMILY, NO_ORDER):
        return {RELAYED}
    return {PREDICTED, RELAYED} if alone == PREDICTED else {alone}


def least_of(caller, target):
    """How many of the tries have to connect: chance finds a random port."""
    want = expected(caller, target)
    if want in (NO_FAMILY, NO_ORDER):
        return 0
    if want == PREDICTED and 'sym-random' in (caller, target):
        return TRIES if TRIES < 10 else TRIES * 9 // 10
    return TRIES


def behind_upnp(world, number):
    lab = world.lab
    usual, lab.internet.router_net = lab.internet.router_net, GLOBAL
    router = lab.router(f'r{number}', **HOME)
    lab.internet.router_net = usual
    Miniupnpd(router).start()
    return world.node(number, lab.host(f'host{number}', router), outside=router)


def add_node(world, number, kind):
    if KINDS[kind] is None:
        return world.node(number, world.lab.host(f'host{number}', ipv6=False))
    if kind == 'upnp':
        return behind_upnp(world, number)
    return world.behind(number, *KINDS[kind], family=6 if kind == 'firewall6' else 4)


def is_mapped(node):
    return node.status()['reach']['rung'] == 'mapped'


def dial(caller, number):
    """What the console said, as JSON where it was linked, and seconds."""
    began = time.monotonic()
    done = subprocess.run([KEYHOLE, '-s', caller.socket, '--json', 'connect', number,
                           '--wait', str(WAIT_S)],
                          text=True, capture_output=True, check=False, timeout=WAIT_S + 5)
    taken_s = time.monotonic() - began
    got = json.loads(done.stdout) if done.returncode == 0 else None
    return got, done.stderr.strip(), taken_s


class Cell:
    """What came of a pair's tries."""

    def __init__(self, caller, target, relay):
        self.refusal = None if relay else expected(caller, target)
        self.rungs = expected_with_relay(caller, target) if relay else {expected(caller, target)}
        self.least = TRIES if relay else least_of(caller, target)
        self.rtts = []
        self.seen = Counter()
        self.verdicts_s = []
        self.wrong = []
        self.late = []

    def add(self, got, said, taken_s):
        if got:
            self.rtts.append(got['dial_ms'] / RTT_MS)
            self.seen[got['path']] += 1
        else:
            self.verdicts_s.append(taken_s)
        limit_s = 1 if self.refusal == NO_FAMILY else VERDICT_S
        if taken_s > limit_s:
            self.late.append(f'{taken_s:.1f} s')
        if got and got['path'] not in self.rungs:
            self.wrong.append(got['path'])
        if not got and (self.refusal not in (NO_FAMILY, NO_ORDER) or self.refusal not in said):
            self.missed(said)

    def missed(self, said):
        """A try that chance may lose is wrong only when too many are."""
        if len(self.verdicts_s) > TRIES - self.least:
            self.wrong.append(said)

    def __str__(self):
        if not self.rtts:
            return f'none {statistics.median(self.verdicts_s):.1f} s'
        rungs = ', '.join(f'{rung} {n}' for rung, n in self.seen.most_common())
        if len(self.seen) == 1:
            rungs = next(iter(self.seen))
        missed = f' ({len(self.rtts)} of {TRIES})' if len(self.rtts) < TRIES else ''
        return f'{rungs} {statistics.median(self.rtts):.1f}{missed}'


def dial_each(caller_kind, cells, relay):
    with Lab(delay_ms=DELAY_MS, log_packets=False) as lab:
        world = World(lab, relay={'enabled': relay})
        caller = add_node(world, '2001', caller_kind)
        number = {kind: str(2100 + i) for i, kind in enumerate(cells)}
        nodes = {kind: add_node(world, number[kind], kind) for kind in cells}
        world.up(20)
        if 'upnp' in nodes:
            wait_until(lambda: is_mapped(nodes['upnp']), 20, 'the router to open the port')
            time.sleep(2 * RTT_MS / 1000)  # the registrar hears of it and tries it
        for kind, cell in cells.items():
            cell.add(*dial(caller, number[kind]))
            caller.console('disconnect', number[kind])


def row(caller_kind, relay):
    cells = {target: Cell(caller_kind, target, relay) for target in TARGETS}
    for _ in range(TRIES):
        dial_each(caller_kind, cells, relay)
    print(f'# {caller_kind:>15} | ' + ' | '.join(f'{t}: {cell}' for t, cell in cells.items()))
    equal({}, {t: cell.wrong for t, cell in cells.items() if cell.wrong})
    late = {t: cell.late for t, cell in cells.items() if cell.late}
    if late:
        raise Inexact(f'verdicts that took too long: {late}')


def add_row_tests(relay):
    for caller in KINDS:
        def scenario(caller=caller):
            row(caller, relay)
        scenario.__name__ = f'{"with_relay_" if relay else ""}from_{caller}'.replace('-', '_')
        test(scenario)


add_row_tests(relay=False)
add_row_tests(relay=True)


@test
def a_dial_between_two_carriers_takes_four_round_trips():
    """Exactly four in virtual time.  Here they are compared with what an echo
    takes meanwhile, as each packet wakes a process on its way and one at its end."""
    with Lab(delay_ms=DELAY_MS, log_packets=False) as lab:
        world = World(lab)
        a, b = (world.behind(number, CARRIER) for number in ('2001', '2002'))
        world.up()
        dials, echoes = [], []
        for _ in range(max(TRIES, 8)):
            echoes += [ms / RTT_MS for ms in ping_ms(a.host, world.registrar_host) if ms]
            got = dial(a, '2002')[0]
            true(got, 'a link')
            dials.append(got['dial_ms'] / RTT_MS)
            a.console('disconnect', '2002')
            time.sleep(0.3)
        print('# round trips: ' + ' '.join(f'{r:.2f}' for r in dials)
              + f'; an echo: {min(echoes):.3f}, median {statistics.median(echoes):.3f}')
        # The rest is the programs' own work; the least pause that the protocol
        # makes, which none of it may be, is 15 ms.
        between(4, min(dials), 4 * min(echoes) + 12 / RTT_MS, 'round trips of the fastest dial')
        between(0, statistics.median(dials) / statistics.median(echoes), 4.4, 'echoes of the median dial')


if __name__ == '__main__':
    main(missing() or missing_miniupnpd())
