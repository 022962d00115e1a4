# SPDX-License-Identifier: MIT
"""iaxmodem at a site: a real IAX2 client that is not ours, driven by AT commands.

It knows no call tokens.  In fax class 1 it answers with a tone of 2100 Hz, and
calls with half a second of 1100 Hz every 3.5 s.
"""

import os
import re
import select
import subprocess
import time
import tty

from netns import realtime, wait_until
from sound import write_wav
from tap import Failed

CED_HZ = 2100
CNG_HZ = 1100


class Modem:
    """One modem with a number; it registers when refresh_s is not 0."""

    _count = 0

    def __init__(self, lab, site, number, server, secret, *, refresh_s=0, codec='ulaw'):
        Modem._count += 1
        self.lab, self.site, self.number = lab, site, number
        self.dir = os.path.join(lab.dir, f'modem-{Modem._count}')
        self._fd = None
        self._said = b''
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o777)  # it becomes another user
        rows = {'device': '/tmp/tty', 'owner': 'root:root', 'mode': '660', 'port': 4569,
                'refresh': refresh_s, 'server': server, 'peername': number, 'secret': secret,
                'cidname': 'modem', 'cidnumber': number, 'codec': codec, 'record': ''}
        site.etc('iaxmodem/modem', ''.join(f'{k}\t{v}\n' for k, v in rows.items()))
        # It records into /tmp, so it gets a /tmp of its own.
        self.process = site.popen(['sh', '-c', 'mount --bind "$1" /tmp && shift && exec stdbuf -oL "$@"',
                                   'sh', self.dir, *realtime(['iaxmodem', 'modem'])])
        device = os.path.join(self.dir, 'tty')
        wait_until(lambda: os.path.exists(device), 5, 'iaxmodem to start')
        self._fd = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        lab.stack.callback(os.close, self._fd)
        tty.setraw(self._fd)
        self.command('ATE0')
        self.command('AT+FCLASS=1')

    # --- the terminal -------------------------------------------------------

    def write(self, words):
        self._said = b''
        os.write(self._fd, words.encode() + b'\r')

    def expect(self, pattern, timeout_s=10):
        """Wait until it says what matches, and forget that."""
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._said)):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Failed(f'modem: not within {timeout_s} s: {pattern!r}, but {self._said!r}\n'
                             f'{self.log()[-2000:]}')
            if select.select([self._fd], [], [], min(left_s, 0.1))[0]:
                self._said += os.read(self._fd, 4096)
        self._said = self._said[found.end():]
        return found[0]

    def command(self, words, timeout_s=5):
        self.write(words)
        self.expect(rb'OK', timeout_s)

    def hang_up(self):
        """End what it sends or waits for, then go on hook."""
        self._said = b''
        os.write(self._fd, b'\x10\x03\r')
        self.expect(rb'OK')
        self.command('ATH0')

    # --- what is known of it ------------------------------------------------

    def log(self):
        with open(self.process.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait_log(self, words, timeout_s=10, count=1):
        wait_until(lambda: self.log().count(words) >= count, timeout_s, f'{words!r} in its log')

    def heard(self, path):
        """What it received in its last call, as a WAV file."""
        for end in ('.recording', ''):
            name = f'{self.dir}/{self.number}-iax.raw{end}'
            if os.path.exists(name):
                with open(name, 'rb') as f:
                    data = f.read()
                return write_wav(path, memoryview(data[:len(data) // 2 * 2]).cast('h'))
        raise Failed(f'it recorded nothing: {os.listdir(self.dir)}')

    def stop(self):
        subprocess.run(['kill', str(self.process.pid)], check=False)
        self.process.wait(5)
