# SPDX-License-Identifier: MIT
"""Starts the emulated internet's program and talks to it."""

import contextlib
import json
import os
import socket
import subprocess

from netns import INTERNET, LabError, realtime, wait_until
from tap import stood_still


def build_dir():
    """Where the programs are: KEYHOLE_BUILD, or build/dev in the source."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    return os.path.abspath(os.environ.get('KEYHOLE_BUILD') or
                           os.path.join(root, 'build', 'dev'))


def wan_program():
    return os.path.join(build_dir(), 'tests', 'lab', 'wan')


class Wan:
    """Talks to the program that delays and drops (README.md: commands).

    Filters are the keywords src, dst (prefixes), port, sport, dport, type and
    sub (of an IAX2 full frame).
    """

    def __init__(self, lab):
        self._path = os.path.join(lab.dir, 'wan.sock')
        argv = ['ip', 'netns', 'exec', lab.internet.ns.name,
                *realtime([wan_program(), 'wan', self._path], INTERNET)]
        self.log_path = lab.new_log('wan-packets')
        with open(lab.new_log('wan'), 'wb') as out:
            self.proc = subprocess.Popen(argv, start_new_session=True,
                                         stdin=subprocess.DEVNULL,
                                         stdout=out, stderr=out)
        lab.procs.append(self.proc)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.settimeout(5)
        self._sock.bind(os.path.join(lab.dir, 'wan.client'))
        lab.stack.callback(self._sock.close)
        wait_until(self._listens, 5, 'the internet is up', every_s=0.002)

    def _listens(self):
        if self.proc.poll() is not None:
            raise LabError(f'wan ended with {self.proc.returncode}')
        try:
            self._sock.connect(self._path)
        except OSError:
            return False
        return True

    def command(self, *words, **filters):
        """Send one command; what follows "ok" in the answer."""
        words = list(words) + [f'{k}={v}' for k, v in filters.items()]
        line = ' '.join(str(w) for w in words)
        self._sock.send(line.encode())
        answer = self._sock.recv(65536).decode()
        if answer.startswith('error'):
            raise LabError(f'wan: {line}: {answer}')
        return answer.removeprefix('ok').strip()

    def delay(self, ms, jitter_ms=0, **filters):
        """One way, for the packets that match; in order within a pair."""
        return int(self.command('delay', ms, jitter_ms, **filters))

    def loss(self, probability, seed=1, **filters):
        return int(self.command('loss', probability, seed, **filters))

    def dup(self, probability, **filters):
        return int(self.command('dup', probability, **filters))

    def reorder(self, probability, extra_ms=30, **filters):
        return int(self.command('reorder', probability, extra_ms, **filters))

    def drop_nth(self, n, **filters):
        """Drop the nth matching UDP packet from now (1 is the next), once."""
        return int(self.command('drop', n, **filters))

    def drop(self, count=0, **filters):
        """Drop the first count matching packets from now, 0: all of them."""
        return int(self.command('dropmatch', f'count={count}', **filters))

    def clear(self, rule=None):
        """End one rule, or every one that drops."""
        self.command('clear', *([rule] if rule else []))

    def stats(self):
        """packets, octets, dropped, queued, pairs[], rules[]."""
        return json.loads(self.command('stats'))

    def hits(self, rule):
        """How many packets a rule took effect on."""
        return next(r['hits'] for r in self.stats()['rules']
                    if r['id'] == rule)

    def late_ms(self):
        """How late its timers were at most: the machine stood still so long,
        or at most 5 ms longer."""
        return int(self.command('late')) / 1000

    def tell_standstill(self):
        """To the runner, unless the program has ended already."""
        with contextlib.suppress(LabError, OSError):
            stood_still(self.late_ms())

    def reset(self):
        self.command('reset')

    def log(self, on=True):
        """A JSON object for each packet, to log_path."""
        self.command('log', self.log_path if on else 'off')

    def packets(self, **fields):
        """The logged packets whose fields have these values."""
        self.command('stats')
        with open(self.log_path, encoding='ascii') as f:
            # The last line may be on its way to the file.
            rows = [json.loads(line) for line in f if line.endswith('\n')]
        return [r for r in rows
                if all(r.get(k) == v for k, v in fields.items())]

    def pcap(self, path='off'):
        """Capture raw IP as it arrives, before drops, until called again."""
        self.command('pcap', path)
