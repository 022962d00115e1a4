# SPDX-License-Identifier: MIT
"""What a node with a radio takes of a processor and of memory: idle, and in a call.

    idle.py BUILD [--json]

Each node's sound card is a pair of lines in shared memory (tests/line), in real
time; what the card itself takes is in the figures.  Idle waits for a COR of
hardware, as a fob has it, or listens for a voice (VOX).  In the call both speak all
the time, and both transmit.  Shares are of one core, the greater of two nodes.
"""

import json
import os
import subprocess
import sys
import time

from world import World

SECONDS = 20
SETTLE = 6  # before a figure is taken


def cpu_ns(pid):
    """What all threads of a process have run for."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as f:
            total += int(f.read().split()[0])
    return total


def switches(pid):
    """How often its threads went to sleep."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/status', encoding='ascii') as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith('voluntary_ctxt'))
    return total


def rss_kb(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))


def measure(world):
    """(share of a core in per cent, kB, sleeps a second): of the node that takes most."""
    time.sleep(SETTLE)
    pids = [world.node[name].process.pid for name in 'ab']
    began = time.monotonic()
    before = [(cpu_ns(p), switches(p)) for p in pids]
    time.sleep(SECONDS)
    after = [(cpu_ns(p), switches(p)) for p in pids]
    took = time.monotonic() - began
    return (max((a[0] - b[0]) / took / 1e7 for a, b in zip(after, before)),
            max(rss_kb(p) for p in pids),
            max((a[1] - b[1]) / took for a, b in zip(after, before)))


def idle(build, source):
    cor = {'cor': {'source': source}}
    with World(build, 'ab', linked=False, a=cor, b=cor) as world:
        return measure(world)


def call(build):
    """Both speak, and both transmit what they hear at the same time."""
    both_ways = {'radio': {'duplex': 4}}
    with World(build, 'ab', a=both_ways, b=both_ways) as world:
        talk = [subprocess.Popen([os.path.join(build, 'tests/line/line_delay'), f'{world.tag}-{mouth}',
                                  f'{world.tag}-{ear}', str(SECONDS + SETTLE)], stdout=subprocess.DEVNULL)
                for mouth, ear in (('mouth', 'ear'), ('b', 'a'))]
        figures = measure(world)
        radio = [world.node[name].status()['radio'] for name in 'ab']
        for t in talk:
            t.kill()
            t.wait()
        if not all(r['cor'] and r['ptt'] for r in radio):
            raise RuntimeError(f'they do not speak: {radio}')
        return figures


def print_days(build):
    """What a day without a call costs in octets, of another program."""
    subprocess.run([os.path.join(build, 'tests/bench/idle_day'), *sys.argv[2:]], check=True)


def main():
    build, wants_json = os.path.abspath(sys.argv[1]), '--json' in sys.argv
    os.environ['KEYHOLE_BUILD'] = build
    result = {'name': 'idle'}
    for name, (cpu, rss, sleeps) in (('idle', idle(build, 'cor')),
                                     ('idle_vox', idle(build, 'vox')), ('call', call(build))):
        result |= {f'{name}_cpu_pct': round(cpu, 3), f'{name}_rss_kb': rss, f'{name}_sleeps_s': round(sleeps)}
    if wants_json:
        print(json.dumps(result), flush=True)
    else:
        print('idle')
        for name, value in list(result.items())[1:]:
            print(f'  {name:24} {value:12.6g}')
        sys.stdout.flush()
    print_days(build)


if __name__ == '__main__':
    main()
