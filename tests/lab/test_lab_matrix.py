# SPDX-License-Identifier: MIT
"""Every kind of network dials every other: the rung taken, and how long.

A row of the matrix is a caller in one kind of network, and a target in each,
all in one lab; every pair dials once in it.  Printed are the rung and the round
trips from the dial to the ANSWER, the median of the tries, or "none" and the
seconds to the verdict.  KEYHOLE_MATRIX_TRIES=20 does each row so often, each
time in a fresh lab.
"""

import json
import os
import statistics
import subprocess
import time

from lab import Lab, missing
from stations import KEYHOLE
from tap import between, equal, main, test, true
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
    'firewall6': (dict(FIREWALL6),),
    # A router that opens a port when it is asked belongs here.
}

# What a pair is held to: how it is reached, or why it is not.
OPENED, PREDICTED = 'opened', 'predicted'
NO_FAMILY, NO_ORDER = 'this node has only IPv', 'ports random at'
FILTERS_PORTS = ('port-restricted', 'double')
SYMMETRIC = ('sym-random', 'sym-seq')


def expected(caller, target):
    pair = {caller, target}
    if 'firewall6' in pair:
        return OPENED if len(pair) == 1 else NO_FAMILY
    if caller in SYMMETRIC and target in SYMMETRIC:
        return PREDICTED if pair == {'sym-seq'} else NO_ORDER
    # Where the other filter does not look at ports, a new port is no hindrance.
    if pair & set(SYMMETRIC) and pair & set(FILTERS_PORTS):
        return PREDICTED
    return OPENED


def wanted_of(caller, target, tries):
    """How many of the tries have to connect: chance finds a random port."""
    if 'sym-random' in (caller, target) and expected(caller, target) == PREDICTED:
        return tries if tries < 10 else tries * 9 // 10
    return tries


def add_node(world, number, kind):
    if KINDS[kind] is None:
        return world.node(number, world.lab.host(f'host{number}', ipv6=False))
    return world.behind(number, *KINDS[kind], family=6 if kind == 'firewall6' else 4)


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

    def __init__(self, caller, target):
        self.want = expected(caller, target)
        self.least = wanted_of(caller, target, TRIES)
        self.rtts = []
        self.verdicts_s = []
        self.wrong = []

    def add(self, got, said, taken_s):
        if got:
            self.rtts.append(got['dial_ms'] / RTT_MS)
        else:
            self.verdicts_s.append(taken_s)
        limit_s = 1 if self.want == NO_FAMILY else VERDICT_S
        if taken_s > limit_s:
            self.wrong.append(f'{taken_s:.1f} s')
        if got and got['path'] != self.want:
            self.wrong.append(got['path'])
        if not got and self.want not in said:
            self.wrong.append(said)

    def verdict(self):
        """What is wrong, or None."""
        allowed = TRIES - self.least
        return self.wrong if len(self.wrong) > allowed else None

    def __str__(self):
        if not self.rtts:
            return f'none {statistics.median(self.verdicts_s):.1f} s'
        missed = f' ({len(self.rtts)} of {TRIES})' if len(self.rtts) < TRIES else ''
        return f'{self.want} {statistics.median(self.rtts):.1f}{missed}'


def dial_each(caller_kind, cells):
    with Lab(delay_ms=DELAY_MS, log_packets=False) as lab:
        world = World(lab)
        caller = add_node(world, '2001', caller_kind)
        number = {kind: str(2100 + i) for i, kind in enumerate(KINDS)}
        for kind in KINDS:
            add_node(world, number[kind], kind)
        world.up(20)
        for kind, cell in cells.items():
            cell.add(*dial(caller, number[kind]))
            caller.console('disconnect', number[kind])


def row(caller_kind):
    cells = {target: Cell(caller_kind, target) for target in KINDS}
    for _ in range(TRIES):
        dial_each(caller_kind, cells)
    print(f'# {caller_kind:>15} | ' + ' | '.join(f'{t}: {cell}' for t, cell in cells.items()))
    equal({}, {t: cell.verdict() for t, cell in cells.items() if cell.verdict()})


def add_row_tests():
    for caller in KINDS:
        def scenario(caller=caller):
            row(caller)
        scenario.__name__ = f'from_{caller}'.replace('-', '_')
        test(scenario)


add_row_tests()


@test
def a_dial_between_two_carriers_takes_four_round_trips():
    with Lab(delay_ms=DELAY_MS, log_packets=False) as lab:
        world = World(lab)
        a, b = (world.behind(number, CARRIER) for number in ('2001', '2002'))
        world.up()
        rtts = []
        for _ in range(max(TRIES, 5)):
            got = dial(a, '2002')[0]
            true(got, 'a link')
            rtts.append(got['dial_ms'] / RTT_MS)
            a.console('disconnect', '2002')
            time.sleep(0.3)
        print('# round trips: ' + ' '.join(f'{r:.2f}' for r in rtts))
        # Two processes need a little of two cores as well.
        between(3.5, statistics.median(rtts), 4.5, 'round trips')


if __name__ == '__main__':
    main(missing())
