# SPDX-License-Identifier: MIT
"""How late a voice is from one node's radio to another's: two daemons on this machine.

    latency.py BUILD [--json]

Each node's sound card is a pair of lines in shared memory (tests/line), by whose
frames a delay is known to the sample.  Between the nodes is nothing but a
forwarder, which sees when packets leave.  In real time: what else the machine
does is in the figures.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time

from world import World

BURSTS = 20
EDGES = 20
BLOCK_MS = 20.0


def mouth_to_ear(world):
    """(delays in ms, stages): the medians of what both nodes say of themselves."""
    talk = subprocess.Popen([os.path.join(world.build, 'tests/line/line_delay'), f'{world.tag}-mouth',
                             f'{world.tag}-ear', str(BURSTS)], stdout=subprocess.PIPE, text=True)
    delays, seen = [], []
    for line in talk.stdout:
        delays.append(line.strip())
        a, b = (world.node[n].status() for n in ('a', 'b'))
        playout = [link['playout_ms'] for link in b['links'] if link['node'] == '1']
        if playout:
            seen.append((a['radio']['capture_ms'] - BLOCK_MS, BLOCK_MS, playout[0],
                         b['radio']['playback_ms']))
    # The first two are from before the level was found.
    heard = [float(d) for d in delays[2:] if d != 'lost']
    if talk.wait() != 0 or not heard or not seen[2:]:
        raise RuntimeError(f'nothing was heard: {delays}')
    stages = dict(zip(('capture', 'packet', 'jitter_buffer', 'playback'),
                      (statistics.median(s) for s in zip(*seen[2:]))))
    stages['rest'] = statistics.median(heard) - sum(stages.values())
    return heard, stages


def cor_to_packet(world):
    """ms from COR to the first packet of voice, of a simulated radio; no debounce."""
    node, way = world.node['c'], world.way['c']
    node.connect('2')
    control = socket.socket(socket.AF_UNIX)
    control.connect(node.socket)
    answers = control.makefile()
    waits = []
    for i in range(EDGES):
        time.sleep(0.3 + i * 0.0037)
        before = len(way.voice)
        began = time.monotonic()
        say(control, answers, True)
        World.wait(lambda n=before: len(way.voice) > n, 'voice')
        waits.append((way.voice[before] - began) * 1000)
        say(control, answers, False)
    return waits


def say(control, answers, on):
    call = {'jsonrpc': '2.0', 'id': 1, 'method': 'sim.cor', 'params': {'on': on}}
    control.sendall((json.dumps(call) + '\n').encode())
    answer = json.loads(answers.readline())
    if 'error' in answer:
        raise RuntimeError(answer['error'])


def main():
    build, wants_json = os.path.abspath(sys.argv[1]), '--json' in sys.argv
    os.environ['KEYHOLE_BUILD'] = build
    # b only speaks by radio: its receiver's COR is of hardware, which there is none.
    with World(build, b={'cor': {'source': 'cor'}}) as world:
        heard, stages = mouth_to_ear(world)
        waits = cor_to_packet(world)
        radio = [world.node[n].status()['radio'] for n in ('a', 'b')]
    result = {
        'name': 'latency',
        'mouth_to_ear_ms': round(statistics.median(heard), 2),
        'mouth_to_ear_most_ms': round(max(heard), 2),
        'bursts': len(heard),
        'stages': {name: round(ms, 2) for name, ms in stages.items()},
        'cor_to_packet_ms': round(statistics.median(waits), 2),
        'cor_to_packet_most_ms': round(max(waits), 2),
        'xruns': sum(r['xruns'] for r in radio),
    }
    if wants_json:
        print(json.dumps(result))
        return
    print('latency')
    for name, value in list(result.items())[1:]:
        if isinstance(value, dict):
            print(f'  {name}')
            for stage, ms in value.items():
                print(f'    {stage:22} {ms:12.6g} ms')
        else:
            print(f'  {name:24} {value:12.6g}{" ms" if name.endswith("_ms") else ""}')


if __name__ == '__main__':
    main()
