# SPDX-License-Identifier: MIT
"""Network namespaces of the lab: made, entered, and removed for certain.

Their names are kh-PID-STARTTIME-COUNT-SITE, so that the owner of each is known
and what a killed owner left behind can be told from what is in use.
"""

import contextlib
import ctypes
import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from tap import Inexact

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab could not do what a scenario asked."""


class TooLate(LabError, Inexact):
    """What was waited for did not happen in time."""


def wait_until(fn, timeout_s, what, every_s=0.02):
    """Call fn until it returns something true; that is the result."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = fn()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise TooLate(f'not within {timeout_s} s: {what}')
        time.sleep(every_s)


def tool(argv, text=None):
    done = subprocess.run(argv, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        raise LabError(f'{" ".join(argv)}: {done.stderr.strip()}\n{text or ""}')
    return done.stdout


def ip_batch(ns, lines, family=None):
    argv = ['ip'] + (['-n', ns] if ns else []) + ([family] if family else [])
    if lines:
        tool(argv + ['-batch', '-'], '\n'.join(lines) + '\n')


def wait_link(ns, dev):
    """Until what is sent there leaves: an interface that is "up" drops all that
    it is given until the kernel has seen its carrier, which waits its turn."""
    show = ['ip', '-n', ns, '-o', 'link', 'show', 'dev', dev]
    wait_until(lambda: ' state UP ' in tool(show), 5, f'{dev} to have its carrier',
               every_s=0.002)


def start_time(pid):
    """When a process started, in clock ticks since boot; None: no such one."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as f:
            return int(f.read().rpartition(')')[2].split()[19])
    except (OSError, IndexError):
        return None


# Priorities: the internet's is the highest, for it judges the machine.
SCENARIOS, PROGRAMS, INTERNET = 1, 2, 3
REALTIME = ('flood', 'iaxmodem', 'keyhole-registrar', 'keyholed', 'nat', 'wan')


@functools.cache
def _may_be_realtime():
    """Whether this machine lets us, and has the tool for it."""
    try:
        return subprocess.run(['chrt', '--rr', '1', 'true'], check=False,
                              capture_output=True).returncode == 0
    except OSError:
        return False


def realtime(argv, priority=PROGRAMS):
    """The command that runs a program whose timing is judged: what else runs
    on the machine (tshark, Python, other labs in the making) gives way."""
    if os.path.basename(argv[0]) not in REALTIME or not _may_be_realtime():
        return argv
    return ['chrt', '--rr', str(priority), *argv]


def be_realtime():
    """The same for a thread of a scenario that has frames to send on time, but
    not for what it starts."""
    if _may_be_realtime():
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK,
                              os.sched_param(SCENARIOS))


class Namespace:
    """A named network namespace, and the way in and out of it."""

    def __init__(self, name, forwarding):
        self.name = name
        ip_batch(None, [f'netns add {name}'])
        self._fd = os.open(f'/run/netns/{name}', os.O_RDONLY | os.O_CLOEXEC)
        self.sysctl({
            'ipv4/conf/all/rp_filter': 0,
            'ipv4/conf/default/rp_filter': 0,
            'ipv4/conf/all/promote_secondaries': 1,
            'ipv4/ip_forward': int(forwarding),
            'ipv6/conf/all/forwarding': int(forwarding),
            'ipv6/conf/default/accept_dad': 0,
            'ipv6/conf/default/accept_ra': 0,
            'ipv6/conf/default/addr_gen_mode': 1,
        })

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in the namespace for a while."""
        back = os.open('/proc/thread-self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._enter(self._fd)
            yield
        finally:
            self._enter(back)
            os.close(back)

    @staticmethod
    def _enter(fd):
        if _libc.setns(fd, 0x40000000) != 0:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), 'setns')

    def sysctl(self, values):
        """Write {path under /proc/sys/net: value}."""
        with self.inside():
            for path, value in values.items():
                with open(f'/proc/sys/net/{path}', 'w', encoding='ascii') as f:
                    f.write(str(value))

    def close(self):
        os.close(self._fd)


def _identity(name):
    """What tells a namespace from others; None when it is gone."""
    try:
        status = os.stat(f'/run/netns/{name}')
    except OSError:
        return None
    return status.st_dev, status.st_ino


def kill_inside(names):
    """Kill what still runs in namespaces, wherever it was started from."""
    identities = {_identity(name) for name in names} - {None}
    for path in glob.glob('/proc/[0-9]*/ns/net'):
        with contextlib.suppress(OSError):
            status = os.stat(path)
            pid = int(path.split('/')[2])
            if (status.st_dev, status.st_ino) in identities and \
                    pid != os.getpid():
                os.kill(pid, signal.SIGKILL)


def delete_namespaces(names):
    """Remove namespaces with what they hold; gone ones are no error."""
    names = list(names)
    lines = ''.join(f'netns del {name}\n' for name in names)
    subprocess.run(['ip', '-force', '-batch', '-'], input=lines, text=True,
                   capture_output=True, check=False)
    for name in names:
        shutil.rmtree(f'/etc/netns/{name}', ignore_errors=True)


def _owner_is_gone(name):
    owner = re.match(r'kh-(\d+)-([0-9a-f]+)-\d+-', name)
    return owner and start_time(owner[1]) != int(owner[2], 16)


def clean():
    """Remove what labs whose process is gone left behind; the names of it."""
    names = [os.path.basename(path) for path in glob.glob('/run/netns/kh-*')]
    gone = [name for name in names if _owner_is_gone(name)]
    kill_inside(gone)
    delete_namespaces(gone)
    for path in glob.glob(f'{tempfile.gettempdir()}/kh-*'):
        if _owner_is_gone(os.path.basename(path)):
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path)
    return gone
