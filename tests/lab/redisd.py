# SPDX-License-Identifier: MIT
"""A Redis server at one of the lab's sites, which keeps nothing on disk."""

import os
import subprocess

from lab import missing, wait_until

# Debian has the server in redis-tools, under this name: a service is never
# installed.  It is what it is called.
PROGRAM = '/usr/bin/redis-check-rdb'


def missing_redis():
    return missing() or (None if os.path.exists(PROGRAM) else 'needs redis-tools')


class Redis:
    def __init__(self, lab, name='redis', password=None):
        self.lab = lab
        self.host = lab.host(name)
        self.password = password
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir)
        self.program = os.path.join(self.dir, 'redis-server')
        os.symlink(PROGRAM, self.program)
        self.socket = os.path.join(self.dir, 'sock')
        self.url = f'redis://{self.host.addr4}:6379/3'
        self.url6 = f'redis://[{self.host.addr6}]:6379/3'
        self.url_path = f'unix://{self.socket}?db=3'
        self.start()

    def start(self):
        self.process = self.host.popen([
            self.program, '--port', '6379', '--bind', '*', '-::*',
            '--unixsocket', self.socket, '--save', '', '--dir', self.dir,
            '--protected-mode', 'no', '--daemonize', 'no',
            *(['--requirepass', self.password] if self.password else [])])
        wait_until(lambda: 'PONG' in self.cli('PING'), 5, 'redis to start')

    def cli(self, *words):
        env = {'REDISCLI_AUTH': self.password} if self.password else {}
        done = self.host.run(['redis-cli', '-n', '3', *words], check=False, env=env)
        return done.stdout

    def kill(self):
        self.process.kill()
        self.process.wait(5)

    def freeze(self, frozen=True):
        subprocess.run(['kill', '-STOP' if frozen else '-CONT', str(self.process.pid)], check=True)
