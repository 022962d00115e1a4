# SPDX-License-Identifier: MIT
"""Checks that tests/CONFORMANCE.md names tests that exist and run: TAP.

    conformance.py TREE          the table, against the tests in TREE
    conformance.py --self-check  every rule finds a planted fault, and only it

A row is: id | level | what | shown by | note.  Shown by is either tests, each
as `suite/test_file:test name`, or `n/a: why`, or `open: what is wrong` and the
tests that show it, which are not registered yet.  A rule is a function that
yields what is wrong as (line, text).
"""

import os
import re
import tempfile
from collections import Counter
from typing import NamedTuple

from house import Tap, main, plant, trial

TABLE = 'tests/CONFORMANCE.md'
LEVELS = ('MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT')
ID = re.compile(r'(\d+(?:\.\d+)*)-(\d+)$')
TEST = re.compile(r'`([a-z]+)/(test_[a-z0-9_]+):([A-Za-z0-9_]+)`')
EXCUSE = re.compile(r'(n/a|open): \S')


class Row(NamedTuple):
    line: int
    cells: list

    @property
    def id(self):
        return self.cells[0]

    @property
    def level(self):
        return self.cells[1] if len(self.cells) > 1 else ''

    @property
    def shown(self):
        return self.cells[3] if len(self.cells) > 3 else ''

    @property
    def tests(self):
        return TEST.findall(self.shown)

    @property
    def is_open(self):
        return self.shown.startswith('open:')

    @property
    def key(self):
        """What rows are in the order of: the section's numbers."""
        m = ID.match(self.id)
        return tuple(int(n) for n in m[1].split('.')) if m else ()


class Tree:
    def __init__(self, root, table=TABLE, levels=LEVELS):
        self.root, self.table, self.levels = root, table, levels
        self.rows = list(self._rows())

    def text(self, path):
        """The text of a file; None when there is none."""
        try:
            with open(os.path.join(self.root, path), encoding='utf-8') as f:
                return f.read()
        except FileNotFoundError:
            return None

    def _rows(self):
        for line, text in enumerate((self.text(self.table) or '').split('\n'), 1):
            cells = [c.strip() for c in text.strip().strip('|').split('|')]
            if text.startswith('|') and re.match(r'\d', cells[0]):
                yield Row(line, cells)

    def has_test(self, suite, file, name):
        c_file = self.text(f'tests/{suite}/{file}.c')
        py_file = self.text(f'tests/{suite}/{file}.py')
        return (f'T_RUN({name});' in (c_file or '')
                or any(f'\n@{kind}\ndef {name}(' in (py_file or '') for kind in ('test', 'long_test')))

    def is_registered(self, suite, file):
        meson = self.text(f'tests/{suite}/meson.build') or ''
        name = file.removeprefix('test_').removeprefix('lab_')
        return f"'{name}'" in meson


def rows_have_five_cells(tree):
    for row in tree.rows:
        if len(row.cells) != 5 or not row.cells[2:] or not row.cells[2]:
            yield row.line, f'{row.id}: {len(row.cells)} cells'


def ids_are_sections_in_order(tree):
    last = ((), 0)
    for row in tree.rows:
        m = ID.match(row.id)
        if not m:
            yield row.line, f'{row.id} is not SECTION-NUMBER'
            continue
        now = (row.key, int(m[2]))
        due = now[1] == (last[1] + 1 if now[0] == last[0] else 1)
        if now[0] < last[0] or not due:
            yield row.line, f'{row.id} is not what follows'
        last = now


def levels_are_known(tree):
    for row in tree.rows:
        if row.level not in tree.levels:
            yield row.line, f'{row.id}: no level {row.level!r}'


def every_row_has_a_test_or_says_why_not(tree):
    for row in tree.rows:
        rest = TEST.sub('', row.shown).strip(' ,')
        if not EXCUSE.match(row.shown) and (rest or not row.tests):
            yield row.line, f'{row.id}: neither tests nor a reason: {rest}'


def named_tests_exist(tree):
    for row in tree.rows:
        for test in row.tests:
            if not tree.has_test(*test):
                yield row.line, f'{row.id}: no test {"{}/{}:{}".format(*test)}'


def named_tests_run(tree):
    for row in tree.rows:
        for suite, file, _ in row.tests:
            if not row.is_open and not tree.is_registered(suite, file):
                yield row.line, f'{row.id}: {suite}/{file} is not registered'


def what_is_mended_is_not_open(tree):
    for row in tree.rows:
        for suite, file, name in row.tests:
            if row.is_open and tree.is_registered(suite, file):
                yield row.line, f'{row.id}: {name} runs, the row is open'


RULES = (
    rows_have_five_cells,
    ids_are_sections_in_order,
    levels_are_known,
    every_row_has_a_test_or_says_why_not,
    named_tests_exist,
    named_tests_run,
    what_is_mended_is_not_open,
)

CLEAN = (
    '| 6-1 | MUST | a | `unit/test_a:it_works` | |',
    '| 6.2.9-1 | MUST NOT | b | n/a: no video | |',
    '| 6.2.10-1 | SHOULD | c | `unit/test_a:it_works`, `lab/test_b:far` | x |',
    '| 6.2.10-2 | SHOULD NOT | d | open: not yet, `unit/test_c:not_yet` | |',
)
FILES = {
    'tests/unit/meson.build': "unit_tests = {\n  'a': [],\n}\n",
    'tests/lab/meson.build': "lab_tests = {\n  'b': [],\n}\n",
    'tests/unit/test_a.c': '\tT_RUN(it_works);\n',
    'tests/unit/test_c.c': '\tT_RUN(not_yet);\n',
    'tests/lab/test_b.py': '\n@test\ndef far():\n\ndef helper():\n',
}

# Rule, a row that breaks it when it comes last.
PLANTED = (
    (rows_have_five_cells, '| 7-1 | MUST | x | n/a: no |'),
    (rows_have_five_cells, '| 7-1 | MUST | | n/a: no | |'),
    (ids_are_sections_in_order, '| 7 | MUST | x | n/a: no | |'),
    (ids_are_sections_in_order, '| 7-2 | MUST | x | n/a: no | |'),
    (ids_are_sections_in_order, '| 6.2.10-2 | MUST | x | n/a: no | |'),
    (ids_are_sections_in_order, '| 6.2.9-1 | MUST | x | n/a: no | |'),
    (levels_are_known, '| 7-1 | MAY | x | n/a: no | |'),
    (every_row_has_a_test_or_says_why_not, '| 7-1 | MUST | x | | |'),
    (every_row_has_a_test_or_says_why_not, '| 7-1 | MUST | x | n/a: | |'),
    (every_row_has_a_test_or_says_why_not,
     '| 7-1 | MUST | x | `unit/test_a:it_works` and so on | |'),
    (named_tests_exist, '| 7-1 | MUST | x | `unit/test_a:it_work` | |'),
    (named_tests_exist, '| 7-1 | MUST | x | `lab/test_b:helper` | |'),
    (named_tests_run, '| 7-1 | MUST | x | `unit/test_c:not_yet` | |'),
    (what_is_mended_is_not_open,
     '| 7-1 | MUST | x | open: no, `unit/test_a:it_works` | |'),
)


def _broken_rules(row):
    rows = CLEAN + (row,) if row else CLEAN
    with tempfile.TemporaryDirectory() as root:
        for path, text in FILES.items():
            plant(root, path, text)
        plant(root, TABLE, '# RFC\n\n| id | level |\n|--|--|\n' + '\n'.join(rows))
        tree = Tree(root)
        return [rule for rule in RULES if any(rule(tree))]


def self_check():
    return trial(RULES, _broken_rules, [(rule, row, row) for rule, row in PLANTED])


def kind(row):
    if row.is_open:
        return 'open'
    return 'n/a' if row.shown.startswith('n/a:') else 'shown'


def check_tree(tree, rules=RULES):
    tap = Tap()
    tap.line(len(tree.rows) > 0, 'there are rows to check')
    for rule in rules:
        found = [f'{tree.table}:{line}: {text}' for line, text in rule(tree)]
        tap.line(not found, rule.__name__, found)
    counts = Counter((row.level, kind(row)) for row in tree.rows)
    for level in tree.levels:
        print(f'# {level}:', ', '.join(f'{counts[level, k]} {k}' for k in
                                       ('shown', 'n/a', 'open')))
    for row in tree.rows:
        if row.is_open:
            print(f'# open: {row.id} {row.cells[2]}')
    return tap.done()


def check(root):
    return check_tree(Tree(root))


if __name__ == '__main__':
    main(check, self_check)
