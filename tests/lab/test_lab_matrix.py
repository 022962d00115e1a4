# SPDX-License-Identifier: MIT
"""Every kind of network dials every other: the rung taken, and how long.

Prints a row of the matrix for each kind of caller: `path` and the round trips
from dial to ANSWER, or "none" and the seconds to the verdict.  WORKS is what is
held to; any other cell must end in time.  Nodes of different IP families have
no way to each other: those cells show that the verdict comes.
"""

import json
import subprocess
import time

from lab import Lab, missing
from stations import KEYHOLE
from tap import equal, main, test
from topology import FIREWALL6, HOME, World

DELAY_MS = 25
VERDICT_S = 15
DOUBLE = ({'nat': 'preserving', 'firewall': 'drop', 'lan': 'carrier'}, HOME)
KINDS = {
    'public': (),
    'full-cone': ({'nat': 'full-cone'},),
    'restricted': ({'nat': 'restricted'},),
    'port-restricted': ({'nat': 'port-restricted'},),
    'sym-random': ({'nat': 'symmetric-random'},),
    'sym-seq': ({'nat': 'symmetric-sequential'},),
    'double': DOUBLE,
    'firewall6': (dict(FIREWALL6),),
}
CONES = ('public', 'full-cone', 'restricted', 'port-restricted', 'double')
# Where the other filter does not look at ports, a new port is no hindrance.
LENIENT = ('public', 'full-cone', 'restricted')
SYMMETRIC = ('sym-random', 'sym-seq')
WORKS = ({(a, b) for a in CONES for b in CONES} | {('firewall6', 'firewall6')}
         | {(a, b) for a in LENIENT for b in SYMMETRIC}
         | {(a, b) for a in SYMMETRIC for b in LENIENT})


def add_node(world, number, kind):
    if kind == 'public':
        return world.public(number)
    return world.behind(number, *KINDS[kind], family=6 if kind == 'firewall6' else 4)


def dial(caller, number):
    """What the console said, as JSON where it was linked, and seconds."""
    began = time.monotonic()
    done = subprocess.run([KEYHOLE, '-s', caller.socket, '--json', 'connect', number,
                           '--wait', str(VERDICT_S)],
                          text=True, capture_output=True, check=False, timeout=VERDICT_S + 5)
    taken_s = time.monotonic() - began
    got = json.loads(done.stdout) if done.returncode == 0 else None
    return got, done.stderr.strip(), taken_s


def cell(caller_kind, target_kind):
    """What to print, and what is wrong with it or None."""
    with Lab(delay_ms=DELAY_MS, log_packets=False) as lab:
        world = World(lab)
        caller = add_node(world, '2001', caller_kind)
        add_node(world, '2002', target_kind)
        world.up()
        got, said, taken_s = dial(caller, '2002')
    wrong = None
    if taken_s >= VERDICT_S:
        wrong = f'no verdict within {VERDICT_S} s'
    elif (caller_kind, target_kind) in WORKS and not got:
        wrong = said
    text = f'{got["path"]} {got["dial_rtts"]:.1f}' if got else f'none {taken_s:.1f}s'
    return text, wrong


def row(caller_kind):
    cells = {target: cell(caller_kind, target) for target in KINDS}
    print(f'# {caller_kind:>15} | ' +
          ' | '.join(f'{target}: {text}' for target, (text, _) in cells.items()))
    equal({}, {target: wrong for target, (_, wrong) in cells.items() if wrong})


def add_row_tests():
    for caller in KINDS:
        def scenario(caller=caller):
            row(caller)
        scenario.__name__ = f'from_{caller}'.replace('-', '_')
        test(scenario)


add_row_tests()

if __name__ == '__main__':
    main(missing())
