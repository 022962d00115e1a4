# SPDX-License-Identifier: MIT
"""Two nodes in the guest, each with an emulated fob, and a registrar, on this machine's own addresses."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import time

from fobs import Fob, wait_for
from stations import BUILD, Node, Registrar
from tap import Failed

TONESNR = os.path.join(BUILD, 'tests', 'vm', 'tonesnr')
TONE_HZ, TONE_PEAK = 1003, 8000
ADDRESS = {'registrar': '198.51.100.1', 'a': '198.51.100.11', 'b': '198.51.100.12'}
# What a transmitter stays keyed for by configuration after COR has fallen at the other end.
HANG_MS, RELEASE_MS = 200, 40
ATTACK_MS = 20  # COR counts after this
TAIL_MS = HANG_MS + RELEASE_MS
# The emulated fob's own: COR is volume down, low when open; PTT is GPIO 3.
SERIAL = {'a': 'A1', 'b': 'B2'}


SO_TIMESTAMPNS = 35


def full_voice(wire, source):
    """When the kernel saw each, from what the packet socket @wire holds."""
    to_monotonic = time.monotonic() - time.time()
    with contextlib.suppress(BlockingIOError):
        while True:
            data, extra, _, _ = wire.recvmsg(2048, 64)
            frame = data[28:]  # behind IP and UDP
            if data[12:16] != socket.inet_aton(source) or len(frame) < 12 or not frame[0] & 0x80 or frame[10] != 2:
                continue
            seconds, ns = struct.unpack('qq', extra[0][2])
            yield seconds + ns * 1e-9 + to_monotonic


def sh(*argv):
    subprocess.run(argv, check=True)


class Here:
    """This machine, as a host of the lab's is to stations.py; programs log beside it."""

    def __init__(self, folder, addr4):
        self.folder, self.addr4 = folder, addr4
        self.started = []

    def popen(self, argv):
        log = os.path.join(self.folder, os.path.basename(argv[0]) + f'-{self.addr4}.log')
        with open(log, 'ab') as f:
            process = subprocess.Popen(argv, stdout=f, stderr=f)
        self.started.append(process)
        return process


class Machine:
    """What Registrar and Node want of a lab: a folder."""

    def __init__(self, folder):
        self.dir = folder


def radio(name, hang_ms):
    """Settings of the node whose fob is @name."""
    # The buffer that a node has by default: this machine's time is its own, and needs no reserve.
    return {'radio': {'type': 'cm108', 'hang_ms': hang_ms}, 'cor': {'attack_ms': ATTACK_MS, 'release_ms': RELEASE_MS},
            'jitter': {'min_ms': 10}, 'fob': {'serial': SERIAL[name]}, 'telemetry': {'announce': 'off'}}


class Link:
    """Both nodes linked, both fobs plugged in; a context manager."""

    def __init__(self, keep=False, hang_ms=HANG_MS):
        self.keep = int(keep)
        self.hang_ms = hang_ms
        self.fob, self.node, self.here = {}, {}, {}
        self.dir = f'/run/link-{os.getpid()}'

    def __enter__(self):
        os.makedirs(self.dir)
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(['ip', 'link', 'add', 'd0', 'type', 'dummy'], check=True, stderr=subprocess.DEVNULL)
        for address in ADDRESS.values():
            subprocess.run(['ip', 'addr', 'replace', f'{address}/24', 'dev', 'd0'], check=True)
        sh('ip', 'link', 'set', 'd0', 'up')
        for name in ('a', 'b'):
            self.fob[name] = Fob(f'{self.dir}/fob-{name}', serial=SERIAL[name], keep=self.keep)
        for name, address in ADDRESS.items():
            self.here[name] = Here(self.dir, address)
        machine = Machine(self.dir)
        self.registrar = Registrar(machine, self.here['registrar'],
                                   iax2={'bind4': ADDRESS['registrar'], 'bind6': ''})
        for name, number in (('a', '2001'), ('b', '2002')):
            self.node[name] = Node(machine, self.here[name], number, self.registrar,
                                   iax2={'bind4': ADDRESS[name], 'bind6': ''}, **radio(name, self.hang_ms))
        for node in self.node.values():
            node.wait_registered(30)
        for name in self.node:
            self.wait_radio(name)
        self.connect()
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show()
        for here in self.here.values():
            for process in here.started:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(18)
                    process.kill()
                process.wait()
        for fob in self.fob.values():
            fob.close()
        subprocess.run(['nft', 'flush', 'ruleset'], check=False)

    def show(self):
        """What the programs and the fobs said, after a failure."""
        for name in sorted(os.listdir(self.dir)):
            if name.endswith('.log'):
                with open(os.path.join(self.dir, name), errors='replace') as f:
                    print(f'--- {name}\n' + ''.join(f.readlines()[-40:]))

    def said(self, name):
        """All that a node logged."""
        with open(f'{self.dir}/keyholed-{ADDRESS[name]}.log', errors='replace') as f:
            return f.read()

    def connect(self):
        self.node['a'].connect(self.node['b'].number)

    def radio(self, name):
        return (self.node[name].status() or {}).get('radio', {})

    def wait_radio(self, name, state='running', seconds=20):
        wait_for(f"{name}'s radio to be {state}: {self.radio(name)}",
                 lambda: self.radio(name).get('state') == state, seconds)

    def talk(self, on=True, name='a'):
        """Somebody speaks to @name's receiver, or ends."""
        self.tone(on, name)
        self.fob[name]('cor', int(on))

    def tone(self, on, name='a'):
        self.fob[name]('mic', *(('tone', TONE_HZ, TONE_PEAK) if on else ('silence',)))

    def wait_ptt(self, name, keyed, seconds=5):
        wait_for(f"{name}'s PTT {int(keyed)}", lambda: self.fob[name].status()['ptt'] == keyed, seconds)

    def since(self, name, kind, start):
        """The first event of @kind at or after @start; None: there is none."""
        return next((t for t, _ in self.fob[name].events(kind) if t >= start), None)

    def moment(self, name, kind, start):
        """The frame time that the first such event tells."""
        for t, text in self.fob[name].events(kind):
            if t >= start:
                return float(text.split()[1])
        raise Failed(f'{name}: no {kind}')

    def last(self, name, kind):
        events = self.fob[name].events(kind)
        if not events:
            raise Failed(f'{name}: no {kind}')
        return events[-1][0]

    def heard(self, name, seconds):
        """tonesnr's figures of what @name transmits for so long."""
        path = f'{self.dir}/{name}.raw'
        self.fob[name]('txfile', path)
        time.sleep(seconds)
        self.fob[name]('txfile', '-')
        done = subprocess.run([TONESNR, path, str(TONE_HZ)], capture_output=True, text=True, check=False)
        os.unlink(path)
        if done.returncode:
            raise Failed(done.stderr.strip())
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def voice_from(self, name):
        """Gives a function: monotonic times of the full frames of voice that @name has sent by then."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as wire:
            wire.bind(('lo', 0))
            wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            wire.setblocking(False)
            yield lambda: list(full_voice(wire, ADDRESS[name]))

    def cut(self):
        """From now on nothing of a's reaches b, and b hears nothing of it."""
        sh('nft', 'add table ip cut; add chain ip cut in { type filter hook input priority 0; }; '
                  f'add rule ip cut in ip saddr {ADDRESS["a"]} ip daddr {ADDRESS["b"]} drop')
