# SPDX-License-Identifier: MIT
"""Three nodes on this machine, two of them with a sound card of shared memory (tests/line)."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lab'))

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
    """The nodes @names, a linked to b; a context manager.

    @settings: those of a node, by its name.
    """

    def __init__(self, build, names=NAMES, linked=True, **settings):
        import stations
        self.stations, self.build, self.names = stations, build, names
        self.linked, self.settings = linked, settings
        self.folder = tempfile.TemporaryDirectory()
        self.dir = self.folder.name
        self.tag = f'{os.getpid()}'

    def __enter__(self):
        env = dict(os.environ, ALSA_CONFIG_PATH=write_cards(self.build, self.dir, self.tag))
        self.here = Here(env)
        port = {name: free_port() for name in self.names}
        self.callers = [name for name in self.names if name != 'b']
        self.way = {name: Forwarder(('127.0.0.1', port['b'])) for name in self.callers}
        self.node = {name: self.new_node(name, port[name]) for name in self.names}
        keys = {name: node.key for name, node in self.node.items()}
        for name, node in self.node.items():
            self.finish(node, name, keys)
            node.start()
        for name in self.names:
            self.wait(lambda n=name: self.node[n].status(), 'the daemon')
        if self.linked:
            self.node['a'].connect('2')
        return self

    def new_node(self, name, port):
        number = str(NAMES.index(name) + 1)
        settings = {'cor': {'attack_ms': 0}}
        if name != 'c':
            settings |= {'audio': {'capture': name, 'playback': name}, 'radio': {'type': 'alsa'}}
        for group, values in self.settings.get(name, {}).items():
            settings.setdefault(group, {}).update(values)
        return self.stations.Node(
            self, self.here, number, start=False, iax2={'bind4': '127.0.0.1', 'bind6': '', 'port': port},
            map={'enabled': False}, log={'level': 'info'},
            control={'group': subprocess.run(['id', '-gn'], capture_output=True, text=True,
                                             check=True).stdout.strip()},
            **settings)

    def finish(self, node, name, keys):
        """Who knows whom, now that all have keys."""
        with open(node.conf, 'a', encoding='ascii') as f:
            if name == 'b':
                f.write('peers = ( ' + ', '.join(f'{{ number = "{NAMES.index(n) + 1}"; key = "{keys[n]}"; }}'
                                                 for n in self.callers) +
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
