# SPDX-License-Identifier: MIT
"""How late a voice is from one node's radio to another's: two daemons on this machine.

    latency.py BUILD [--json]

Each node's sound card is a pair of lines in shared memory (tests/line), by whose
frames a delay is known to the sample.  Between the nodes is nothing but a
forwarder, which sees when packets leave.  In real time: what else the machine
does is in the figures.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lab'))

BURSTS = 20
EDGES = 20
BLOCK_MS = 20.0
NAMES = ('a', 'b', 'c')  # c's radio is simulated, for its COR


class Forwarder(threading.Thread):
    """Datagrams from one node to another and back; when voice left the first."""

    def __init__(self, to):
        super().__init__(daemon=True)
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.bind(('127.0.0.1', 0))
        self.to = to
        self.caller = None
        self.voice = []  # monotonic times
        self.start()

    @property
    def port(self):
        return self.out.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                data, source = self.out.recvfrom(2048)
                now = time.monotonic()
                if source == self.to:
                    if self.caller:
                        self.out.sendto(data, self.caller)
                    continue
                self.caller = source
                # A mini frame, or a full one of type voice.
                if len(data) > 4 and (not data[0] & 0x80 or (len(data) > 12 and data[10] == 2)):
                    self.voice.append(now)
                self.out.sendto(data, self.to)


class Here:
    """This machine, as a host of the lab's is to stations.py."""

    def __init__(self, env):
        self.env, self.started = env, []

    def popen(self, argv):
        process = subprocess.Popen(argv, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def write_cards(build, folder, tag):
    """ALSA's configuration: a card for a and one for b."""
    path = os.path.join(folder, 'asoundrc')
    plugin = os.path.join(build, 'tests/line/libasound_module_pcm_line.so')
    with open(path, 'w', encoding='ascii') as f:
        f.write('</usr/share/alsa/alsa.conf>\n'
                f'pcm_type.line {{ lib "{plugin}" }}\n'
                f'pcm.a {{ type line rx "{tag}-mouth" tx "{tag}-a" }}\n'
                f'pcm.b {{ type line rx "{tag}-b" tx "{tag}-ear" }}\n')
    return path


class World:
    """The nodes, linked; a context manager."""

    def __init__(self, build):
        import stations
        self.stations, self.build = stations, build
        self.folder = tempfile.TemporaryDirectory()
        self.dir = self.folder.name
        self.tag = f'{os.getpid()}'

    def __enter__(self):
        env = dict(os.environ, ALSA_CONFIG_PATH=write_cards(self.build, self.dir, self.tag))
        self.here = Here(env)
        port = {name: free_port() for name in NAMES}
        self.way = {name: Forwarder(('127.0.0.1', port['b'])) for name in ('a', 'c')}
        self.node = {name: self.new_node(name, port[name]) for name in NAMES}
        keys = {name: node.key for name, node in self.node.items()}
        for name, node in self.node.items():
            self.finish(node, name, keys)
            node.start()
        for name in ('a', 'c'):
            self.wait(lambda n=name: self.node[n].status(), 'the daemon')
        self.node['a'].connect('2')
        return self

    def new_node(self, name, port):
        number = str(NAMES.index(name) + 1)
        sound = {'radio': {'type': 'alsa'}, 'audio': {'capture': name, 'playback': name}}
        return self.stations.Node(
            self, self.here, number, start=False, iax2={'bind4': '127.0.0.1', 'bind6': '', 'port': port},
            map={'enabled': False}, cor={'attack_ms': 0},
            control={'group': subprocess.run(['id', '-gn'], capture_output=True, text=True,
                                             check=True).stdout.strip()},
            **({} if name == 'c' else sound))

    def finish(self, node, name, keys):
        """Who knows whom, now that all have keys."""
        with open(node.conf, 'a', encoding='ascii') as f:
            if name == 'b':
                f.write('peers = ( ' + ', '.join(f'{{ number = "{NAMES.index(n) + 1}"; key = "{keys[n]}"; }}'
                                                 for n in ('a', 'c')) +
                        ' );\naccept = { allow = [ "1", "3" ]; };\n')
            else:
                f.write(f'peers = ( {{ number = "2"; host = "127.0.0.1"; port = {self.way[name].port}; '
                        f'key = "{keys["b"]}"; }} );\n')

    @staticmethod
    def wait(condition, what, seconds=15):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(what)
            time.sleep(0.05)

    def __exit__(self, *_):
        for process in self.here.started:
            process.terminate()
        for process in self.here.started:
            process.wait()
        for name in os.listdir('/dev/shm'):
            if name.startswith(f'keyhole-line-{self.tag}-'):
                os.unlink(os.path.join('/dev/shm', name))
        self.folder.cleanup()


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
    with World(build) as world:
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
