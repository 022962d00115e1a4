# SPDX-License-Identifier: MIT
"""A node whose radio is a fob, and one with a simulated radio that talks to it, in the guest."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile

from fobs import wait_for
from stations import KEYHOLE, KEYHOLED, write_conf

NUMBERS = {'talker': '2001', 'node': '2002'}
PORTS = {'talker': 4571, 'node': 4572}
NOBODY = 65534
ASK_S = 0.2  # between questions to a daemon, each a process


class Station:
    """Both nodes, linked on the loopback; a context manager.

    @fob are settings of the fob's group.  The talker's COR keys the node.  With
    @groups the daemons are nobody's, who is in these.
    """

    def __init__(self, groups=None, **fob):
        self.dir = tempfile.mkdtemp(dir='/run')
        self.user = {} if groups is None else {'user': NOBODY, 'group': NOBODY, 'extra_groups': groups}
        self.process = {}
        keys = {n: subprocess.run([KEYHOLE, 'keygen', f'{self.dir}/{n}.key'], check=True, text=True,
                                  capture_output=True).stdout.strip() for n in NUMBERS}
        for name, number in NUMBERS.items():
            other = 'node' if name == 'talker' else 'talker'
            radio = {'type': 'cm108'} if name == 'node' else {'type': 'sim'}
            write_conf(self.conf(name), {
                'node': {'number': number, 'key_file': f'{self.dir}/{name}.key'},
                'iax2': {'bind4': '127.0.0.1', 'bind6': '', 'port': PORTS[name]},
                'map': {'enabled': False},
                'accept': {'allow': [NUMBERS[other]]},
                'peers': [{'number': NUMBERS[other], 'key': keys[other], 'host': '127.0.0.1',
                           'port': PORTS[other]}],
                'radio': radio,
                'telemetry': {'announce': 'off'},
                'fob': fob if name == 'node' else {},
                'control': {'socket': f'{self.dir}/{name}.sock',
                            'group': 'root' if groups is None else 'nogroup'}})
        if self.user:
            for path in (self.dir, *(os.path.join(self.dir, f) for f in os.listdir(self.dir))):
                os.chown(path, NOBODY, NOBODY)

    def conf(self, name='node'):
        return f'{self.dir}/{name}.conf'

    def start(self, name='node'):
        with open(f'{self.dir}/{name}.log', 'ab') as f:
            self.process[name] = subprocess.Popen([KEYHOLED, '-c', self.conf(name)], stdout=f, stderr=f,
                                                  **self.user)
        wait_for(f'{name} to start', lambda: self.status(name), every=ASK_S)

    def __enter__(self):
        self.start('node')
        self.start('talker')
        return self

    def __exit__(self, kind, *_):
        for process in self.process.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        if kind:
            print(self.said('node') + self.said('talker'))

    def said(self, name='node'):
        """All that it logged."""
        with open(f'{self.dir}/{name}.log', errors='replace') as f:
            return f.read()

    def console(self, name, *words):
        return subprocess.run([KEYHOLE, '-s', f'{self.dir}/{name}.sock', *words], text=True,
                              capture_output=True, check=False, timeout=30)

    def status(self, name='node'):
        done = self.console(name, '--json', 'status')
        return json.loads(done.stdout) if done.returncode == 0 else None

    def radio(self):
        return (self.status() or {}).get('radio', {})

    def wait_radio(self, name, value, seconds=20):
        """Until the node says so of its radio."""
        wait_for(f'{name} {value!r}', lambda: self.radio().get(name) == value, seconds, every=ASK_S)

    def wait_ready(self):
        self.wait_radio('state', 'running')

    def wait_said(self, text, seconds=20):
        wait_for(f'{text!r} in\n{self.said()}', lambda: text in self.said(), seconds)

    def link(self):
        done = self.console('talker', 'connect', NUMBERS['node'], '--wait', '10')
        if done.returncode:
            raise RuntimeError(f'connect: {done.stderr}')

    def unlink(self):
        """The talker forgets the node, also one that is dead."""
        self.console('talker', 'disconnect', NUMBERS['node'])

    def talk(self, on=True):
        self.console('talker', 'sim', 'cor', 'on' if on else 'off')

    def key(self, fob):
        """Link them and talk until @fob keys."""
        self.wait_ready()
        self.link()
        self.talk()
        wait_for('PTT', lambda: fob.status()['ptt'] == 1)
