# SPDX-License-Identifier: MIT
"""Name servers at the lab's sites: dnsmasq with a zone, and scripted ones that
are slow, or lie."""

import contextlib
import os
import select
import shutil
import struct
import threading
import time

from lab import missing, wait_until

PROGRAM = 'dnsmasq'
DOMAIN = 'example.net'
TTL_S = 60
SRV, A = 33, 1
HEADER = struct.Struct('>HHHHHH')


def missing_dns():
    return missing() or (None if shutil.which(PROGRAM) else 'needs dnsmasq-base')


def service(number):
    return f'_iax._udp.{number}.nodes.{DOMAIN}'


def encoded(name):
    return b''.join(bytes([len(x)]) + x.encode() for x in name.rstrip('.').split('.')) + b'\0'


def name_of(question):
    """The name that a datagram asks for."""
    labels, at = [], HEADER.size
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += question[at] + 1
    return '.'.join(labels)


class Dns:
    """dnsmasq, with authority over DOMAIN and nothing else."""

    def __init__(self, lab, name='dns'):
        self.lab = lab
        self.host = lab.host(name)
        self.addr = self.host.addr4
        self.lines = []
        self.process = None
        self.conf = os.path.join(lab.dir, f'{name}.conf')

    def node(self, number, addr, port, host=None, priority=0, weight=0):
        """A node as the network's zone has it: SRV, and the host's address."""
        host = host or f'{number}.nodes.{DOMAIN}'
        self.lines += [f'srv-host={service(number)},{host},{port},{priority},{weight}']
        if addr:
            self.address(host, addr)

    def address(self, host, addr):
        self.lines.append(f'host-record={host},{addr},{TTL_S}')

    def start(self):
        with open(self.conf, 'w', encoding='ascii') as f:
            f.write('\n'.join([
                'no-resolv', 'no-hosts', f'local=/{DOMAIN}/', f'local-ttl={TTL_S}',
                f'neg-ttl={TTL_S}', 'user=root', 'pid-file=', 'log-queries', 'log-facility=-',
                *self.lines]) + '\n')
        self.process = self.host.popen([PROGRAM, '--keep-in-foreground', f'--conf-file={self.conf}'])
        wait_until(lambda: ':53 ' in self.host.run(['ss', '-Hlun']).stdout, 5, 'dnsmasq to start')
        return self

    def again(self, *lines):
        """The zone has changed."""
        self.process.terminate()
        self.process.wait(5)
        self.lines = list(lines)
        return self.start()

    def asked(self, name):
        """How often somebody asked for a name."""
        with open(self.process.log, encoding='ascii', errors='replace') as f:
            return sum(f'] {name} from ' in line for line in f)


class Scripted:
    """A server whose answers a function makes: answer(server, datagram, from)."""

    def __init__(self, lab, answer, name='scripted'):
        self.host = lab.host(name)
        self.addr = self.host.addr4
        self.asked = []   # (when, name)
        self.sock = self.host.socket(53)
        self._answer = answer
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        lab.stack.callback(self._end)

    def _end(self):
        self._closing = True
        self._thread.join(3)

    def _run(self):
        while not self._closing:
            if not select.select([self.sock], [], [], 0.1)[0]:
                continue
            with contextlib.suppress(OSError):
                data, where = self.sock.recvfrom(4096)
                self.asked.append((time.monotonic(), name_of(data)))
                self._answer(self, data, where)


def srv_answer(question, port, target, ident=None, name=None):
    """An answer to @question as a server would send it; or with another number,
    or to the question for another name."""
    asked = encoded(name) + struct.pack('>HH', SRV, 1) if name else question[HEADER.size:]
    # What is beyond the question, as EDNS, is left out.
    asked = asked[:asked.index(b'\0') + 5]
    data = struct.pack('>HHH', 0, 0, port) + encoded(target)
    record = b'\xc0\x0c' + struct.pack('>HHIH', SRV, 1, TTL_S, len(data)) + data
    number = HEADER.unpack_from(question)[0] if ident is None else ident
    return HEADER.pack(number, 0x8580, 1, 1, 0, 0) + asked + record
