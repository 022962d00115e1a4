# SPDX-License-Identifier: MIT
"""Adds up what was tested: `N passed, N failed, N skipped`.

    summary.py RUN...       exit status 0 when nothing failed
    summary.py --self-check

A RUN is the TAP output of one check (LABEL=FILE.tap), or one `meson test` of a
build directory (LABEL=BUILD_DIR:LOGBASE).  A TAP subtest counts as one.  So
does a program that crashed, timed out or ended before its plan, as failed.
"""

import json
import os
import re
import sys
import tempfile
from typing import NamedTuple

TAIL_ROWS = 40
LINE = re.compile(
    r'(?P<bad>not )?ok\b\s*\d*\s*(?:- )?(?P<name>.*?)'
    r'(?:\s+#\s*(?P<word>SKIP|TODO)\S*\s*(?P<why>.*))?$', re.I)
PLAN = re.compile(r'1\.\.(\d+)(?:\s*#\s*SKIP\S*\s*(.*))?$', re.I)


class Result(NamedTuple):
    where: str  # the run and the program
    name: str
    state: str  # 'passed', 'failed' or 'skipped'
    why: str = ''


class Program(NamedTuple):
    """What a test program left behind."""

    where: str
    tap: bool
    status: str  # meson's word: OK, FAIL, ERROR, TIMEOUT, SKIP, INTERRUPT...
    code: int
    stdout: str
    stderr: str


def subtests(where, text):
    """The results in a TAP text; how many its plan wants, None without one."""
    results, plan = [], None
    for row in text.splitlines():
        if m := PLAN.match(row):
            plan = int(m[1])
            if m[2] is not None:
                results.append(Result(where, '(all)', 'skipped', m[2]))
                plan = 1
        elif m := LINE.match(row):
            word = (m['word'] or '').upper()
            if word == 'SKIP':
                state = 'skipped'
            else:
                state = 'failed' if m['bad'] and word != 'TODO' else 'passed'
            results.append(Result(where, m['name'], state, m['why'] or ''))
        elif row.startswith('Bail out!'):
            results.append(Result(where, '(bailed out)', 'failed', row[9:]))
    return results, plan


def ending(program, results, plan):
    """What is wrong with how a program ended; empty when nothing is."""
    if program.status == 'TIMEOUT':
        return 'timed out'
    if program.status == 'INTERRUPT':
        return 'was interrupted'
    if any(r.state == 'failed' for r in results):
        return ''
    if program.tap and plan is None:
        return f'ended without a plan (status {program.code})'
    if program.tap and plan != len(results):
        return f'planned {plan} tests, reported {len(results)}'
    if program.code != 0 and (program.tap or program.status != 'SKIP'):
        return f'ended with status {program.code}'
    if program.status in ('FAIL', 'ERROR', 'UNEXPECTEDPASS'):
        return program.status.lower()
    return ''


def judge(program):
    if not program.tap:
        wrong = ending(program, [], None)
        state = 'skipped' if program.status == 'SKIP' else 'passed'
        return [Result(program.where, '', 'failed' if wrong else state, wrong)]
    results, plan = subtests(program.where, program.stdout)
    wrong = ending(program, results, plan)
    if wrong:
        results.append(Result(program.where, '(the program)', 'failed', wrong))
    return results


def meson_programs(label, build, logbase):
    with open(os.path.join(build, 'meson-info', 'intro-tests.json'),
              encoding='utf-8') as f:
        protocol = {t['name']: t['protocol'] for t in json.load(f)}
    log = os.path.join(build, 'meson-logs', logbase + '.json')
    with open(log, encoding='utf-8') as f:
        for row in f:
            t = json.loads(row)
            suite, _, name = t['name'].rpartition(' / ')
            suite = suite.rpartition(':')[2]
            yield Program(f'{label} {suite} / {name}',
                          protocol.get(name) == 'tap', t['result'],
                          t['returncode'], t.get('stdout', ''),
                          t.get('stderr', ''))


def programs(run):
    label, _, what = run.partition('=')
    if what.endswith('.tap'):
        with open(what, encoding='utf-8', errors='replace') as f:
            text = f.read()
        return [Program(label, True, 'OK', 0, text, '')]
    build, _, logbase = what.rpartition(':')
    try:
        found = list(meson_programs(label, build, logbase))
    except (OSError, ValueError) as e:
        return [Program(label, False, 'ERROR', 1, '', str(e))]
    return found or [Program(label, False, 'ERROR', 1, '', 'no test was run')]


def print_tail(program):
    print(f'\n--- {program.where} ---')
    for text in (program.stdout, program.stderr):
        rows = [r for r in text.splitlines() if not r.startswith('ok ')]
        if len(rows) > TAIL_ROWS:
            print(f'[{len(rows) - TAIL_ROWS} rows before]')
        for row in rows[-TAIL_ROWS:]:
            print(row)


def print_list(title, results):
    if results:
        print(f'\n{title}:')
    for r in results:
        text = f'  {r.where}: {r.name}' if r.name else f'  {r.where}'
        print(text + (f' ({r.why.strip()})' if r.why.strip() else ''))


def totals(results):
    """The line that everything ends with."""
    return ', '.join(f'{sum(r.state == s for r in results)} {s}'
                     for s in ('passed', 'failed', 'skipped'))


def report(runs):
    results = []
    for run in runs:
        for program in programs(run):
            judged = judge(program)
            if any(r.state == 'failed' for r in judged):
                print_tail(program)
            results += judged
    print_list('Skipped', [r for r in results if r.state == 'skipped'])
    print_list('Failed', [r for r in results if r.state == 'failed'])
    print(f'\n{totals(results)}', flush=True)
    return 1 if any(r.state == 'failed' for r in results) else 0


# What a program said and how it ended; the totals that it must come to.
EXAMPLES = (
    ('ok 1 - a\nok 2 - b\n1..2\n', 'OK', 0, (2, 0, 0)),
    ('ok 1 - a\nnot ok 2 - b\n', 'FAIL', -6, (1, 1, 0)),
    ('ok 1 - a\nnot ok 2 - b\n1..2\n', 'FAIL', 1, (1, 1, 0)),
    ('ok 1 - a\n', 'OK', 0, (1, 1, 0)),
    ('', 'OK', 0, (0, 1, 0)),
    ('ok 1 - a\nok 2 - b\n1..3\n', 'ERROR', 0, (2, 1, 0)),
    ('ok 1 - a\nok 2 - b # SKIP needs root\n1..2\n', 'OK', 0, (1, 0, 1)),
    ('1..0 # SKIP needs root\n', 'SKIP', 0, (0, 0, 1)),
    ('ok 1 - a\n1..1\n', 'OK', 1, (1, 1, 0)),
    ('ok 1 - a\n', 'TIMEOUT', -15, (1, 1, 0)),
    ('1..2\nok 1 - a\nnot ok 2 - b # TODO later\n', 'OK', 0, (2, 0, 0)),
    ('Bail out! no memory\n', 'ERROR', 1, (0, 1, 0)),
)


def self_check():
    failed = 0
    for number, (text, status, code, want) in enumerate(EXAMPLES, 1):
        judged = judge(Program('x', True, status, code, text, ''))
        got = totals(judged)
        good = got == '{} passed, {} failed, {} skipped'.format(*want)
        failed += not good
        name = f'{text!r} {status} {code}'.replace('#', '')
        print(f'{"ok" if good else "not ok"} {number} - {name}'
              + ('' if good else f'\n# {got}'))
    with tempfile.TemporaryDirectory() as empty:
        lost = programs(f'x={empty}:testlog')
    good = [r.state for p in lost for r in judge(p)] == ['failed']
    print(f'{"ok" if good else "not ok"} {len(EXAMPLES) + 1} - '
          'a run that left no log failed')
    print(f'1..{len(EXAMPLES) + 1}')
    return 1 if failed or not good else 0


if __name__ == '__main__':
    if sys.argv[1:] == ['--self-check']:
        sys.exit(self_check())
    sys.exit(report(sys.argv[1:]))
