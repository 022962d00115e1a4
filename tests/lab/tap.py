# SPDX-License-Identifier: MIT
"""Runs scenarios and prints TAP.

    @test
    def holes_close(): ...

    if __name__ == '__main__':
        main(missing())

Each scenario is a function that raises to fail, or raises Skip, and runs in a
process of its own.  What it printed follows its line when it failed; lines
that begin with "# " do so always.

A machine can stand still: a hypervisor has other guests.  The lab tells for how
long it did (stood_still); where a check of time or sound fails (Inexact) in a
scenario in which that was long, the scenario is run again, which is said.
"""

import argparse
import contextlib
import ctypes
import mmap
import os
import signal
import struct
import sys
import tempfile
import time
import traceback

SKIPPED = 77
INEXACT = 78
STANDSTILL_MS = 20  # a block of sound
TRIES = 3

_tests = []
# How long the machine stood still, ms: a scenario's word to its parent.
_standstill = mmap.mmap(-1, 8)


class Skip(Exception):
    """This scenario cannot run here; the text says why."""


class Failed(Exception):
    """A check did not hold."""


class Inexact(Failed):
    """A check of time or sound did not hold."""


def test(fn):
    """Register a scenario under its function's name."""
    _tests.append(fn)
    return fn


def equal(want, got, what=''):
    if want != got:
        raise Failed(f'{what or "value"}: want {want!r:.400}, '
                     f'got {got!r:.400}')


def true(condition, what):
    if not condition:
        raise Failed(what)


def between(low, value, high, what):
    """A figure of time or sound, which a standstill can spoil."""
    if value is None or not low <= value <= high:
        raise Inexact(f'{what}: {value!r} is not within {low}..{high}')


def within(low, value, high, what):
    """A figure that is what it is, however late."""
    true(value is not None and low <= value <= high,
         f'{what}: {value!r} is not within {low}..{high}')


def stood_still(ms):
    """The machine did, for so long, while this scenario ran."""
    _standstill[:] = struct.pack('d', max(ms, struct.unpack('d', _standstill[:])[0]))


def long_test(fn):
    """A test that takes much longer than its neighbours: it begins first."""
    _tests.insert(0, fn)
    return fn


class _Running:
    """A scenario in its own process."""

    def __init__(self, fn, number_of_try=1):
        global _standstill
        self.fn = fn
        self.name = fn.__name__
        self.number_of_try = number_of_try
        # One for each: they run side by side.
        self.standstill = _standstill = mmap.mmap(-1, 8)
        self.start = time.monotonic()
        self.late = False
        self.output = tempfile.TemporaryFile()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(self._child(fn))

    def _child(self, fn):
        for fd in (1, 2):
            os.dup2(self.output.fileno(), fd)
        os.setpgid(0, 0)  # an interrupt reaches the runner only
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        signal.signal(signal.SIGTERM, _raise_exit)
        try:
            fn()
            status = 0
        except Skip as why:
            print(why)
            status = SKIPPED
        except Inexact:
            traceback.print_exc()
            status = INEXACT
        except BaseException:  # the process ends here, whatever it was
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        return status

    def age_s(self):
        return time.monotonic() - self.start

    def check_age(self, timeout_s):
        """Ask one that takes too long to end, later make it."""
        if self.age_s() > timeout_s + 10:
            os.kill(self.pid, signal.SIGKILL)
        elif self.age_s() > timeout_s and not self.late:
            self.late = True
            os.kill(self.pid, signal.SIGTERM)

    def text(self):
        self.output.seek(0)
        return self.output.read().decode(errors='replace')

    def again(self, status):
        """The next try, when the machine is to blame for this one; or None."""
        ms, = struct.unpack('d', self.standstill[:])
        if status != INEXACT or ms <= STANDSTILL_MS or self.number_of_try == TRIES:
            return None
        why = self.text().splitlines()[-1]
        print(f'# {self.name}: {why}\n'
              f'# the machine stood still for {ms:.0f} ms: again', flush=True)
        self.output.close()
        return _Running(self.fn, self.number_of_try + 1)

    def report(self, number, status):
        text = self.text()
        self.output.close()
        good = status in (0, SKIPPED)
        line = f'{"ok" if good else "not ok"} {number} - {self.name}'
        if status == SKIPPED:
            print(f'{line} # SKIP {text.strip()}', flush=True)
            return good
        print(f'{line} ({self.age_s():.1f} s'
              f'{", timed out" if self.late else ""})')
        rows = text.splitlines()
        if good:  # only the figures
            rows = [row[2:] for row in rows if row.startswith('# ')]
        print(''.join(f'# {row}\n' for row in rows), end='')
        sys.stdout.flush()
        return good


def _raise_exit(signo, _frame):
    raise SystemExit(128 + signo)


def _run(fns, jobs, timeout_s):
    """How many failed; the plan follows the last line."""
    waiting, running, failed, count = list(fns), {}, 0, 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                started = _Running(waiting.pop(0))
                running[started.pid] = started
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                time.sleep(0.02)
                for scenario in running.values():
                    scenario.check_age(timeout_s)
                continue
            code = os.waitstatus_to_exitcode(status)
            ended = running.pop(pid)
            if another := ended.again(code):
                running[another.pid] = another
                continue
            count += 1
            failed += not ended.report(count, code)
    finally:
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        for pid in running:
            os.waitpid(pid, 0)
    print(f'1..{count}', flush=True)
    return failed


def main(missing=None):
    """The scenarios named on the command line, or all of them.

    missing: why none can run on this machine, if so.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument('names', nargs='*', help='scenarios (default: all)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1,
                        help='how many at the same time')
    parser.add_argument('--timeout', type=float, default=240, metavar='S',
                        help='until a scenario is given up, which judges no time')
    parser.add_argument('--list', action='store_true')
    args = parser.parse_args()
    if args.list:
        print('\n'.join(fn.__name__ for fn in _tests))
        sys.exit(0)
    unknown = set(args.names) - {fn.__name__ for fn in _tests}
    if unknown:
        parser.error(f'no such scenario: {", ".join(sorted(unknown))}')
    if missing:
        print(f'1..0 # SKIP {missing}')
        sys.exit(0)
    signal.signal(signal.SIGTERM, _raise_exit)
    # Scenarios keep time, too: before compilers and whoever is nice.
    with contextlib.suppress(PermissionError):
        os.nice(-5)
    chosen = [fn for fn in _tests
              if not args.names or fn.__name__ in args.names]
    sys.exit(1 if _run(chosen, max(args.jobs, 1), args.timeout) else 0)
