# SPDX-License-Identifier: MIT
"""Emulated fobs, from inside the guest."""

import os
import re
import socket
import subprocess
import time

PROGRAM = os.path.join(os.environ.get('KEYHOLE_BUILD', '.'), 'tests/vm/cm108emu')


def wait_for(what, condition, seconds=20, every=0.01):
    """The first true value of @condition(), within @seconds of the guest's time.

    Where a look costs a process, a larger @every spares the emulated CPU.
    """
    end = time.monotonic() + seconds
    while not (got := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f'{what}: not within {seconds} s')
        time.sleep(every)
    return got


def card(name):
    """The number of the ALSA card whose line has @name; None: there is none."""
    try:
        with open('/proc/asound/cards') as f:
            cards = f.read()
    except FileNotFoundError:
        return None
    for number, line in re.findall(r'^ *(\d+) (.*)$', cards, re.M):
        if name in line:
            return int(number)
    return None


class Fob:
    """One cm108emu, plugged in; options as its keys."""

    def __init__(self, path='/run/fob', **options):
        self.path, self.log = path, path + '.log'
        argv = [PROGRAM, path, f'log={self.log}',
                *(f'{k}={v}' for k, v in options.items())]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'ready\n':
            raise RuntimeError('the emulator did not start')
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.answers = self.socket.makefile()

    def __call__(self, *words):
        """Say a command; what it answered."""
        self.socket.sendall((' '.join(map(str, words)) + '\n').encode())
        answer = self.answers.readline().strip()
        if answer.startswith('err'):
            raise ValueError(f'{words}: {answer}')
        return answer

    def status(self):
        """What it says of itself, by name; numbers where they are."""
        pairs = (w.split('=', 1) for w in self('status').split())
        return {k: float(v) if re.fullmatch(r'-?[\d.]+', v) else v
                for k, v in pairs}

    def events(self, kind=''):
        """(time, text) of each event of @kind since it started, CLOCK_MONOTONIC."""
        with open(self.log) as f:
            lines = [line.split(' ', 1) for line in f]
        return [(float(t), text.strip()) for t, text in lines
                if text.startswith(kind)]

    def close(self):
        self.process.terminate()
        self.process.wait()
