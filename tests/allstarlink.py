# SPDX-License-Identifier: MIT
"""Checks that tests/ALLSTARLINK.md names tests that exist and run: TAP.

    allstarlink.py TREE          the table, against the tests in TREE
    allstarlink.py --self-check  every rule finds a planted fault, and only it

Rows and rules are those of conformance.py; the numbers are the table's own
sections, and none of them may be left out.
"""

import tempfile

import conformance
from house import main, plant, trial

TABLE = 'tests/ALLSTARLINK.md'
# rule: seen on the network or in its programs; inferred: likely, to be verified;
# ours: what a careful node does besides.
LEVELS = ('rule', 'inferred', 'ours')
SECTIONS = tuple((4, n) for n in range(1, 12))


def no_section_is_left_out(tree):
    there = {row.key for row in tree.rows}
    for section in SECTIONS:
        if section not in there:
            yield 1, f'nothing of section {section[0]}.{section[1]}'


RULES = conformance.RULES + (no_section_is_left_out,)


def tree_of(root):
    return conformance.Tree(root, TABLE, LEVELS)


# Rows that keep every rule, section by section.
CLEAN = {n: f'| 4.{n}-1 | rule | x | `unit/test_a:it_works` | |' for n in range(1, 12)}
FAULTS = (
    (conformance.rows_have_five_cells, '4.11', '| 4.11-1 | ours | x | n/a: no |'),
    (conformance.ids_are_sections_in_order, '4.11', '| 4.11-2 | ours | x | n/a: no | |'),
    (conformance.levels_are_known, '4.11', '| 4.11-1 | MUST | x | n/a: no | |'),
    (conformance.every_row_has_a_test_or_says_why_not, '4.11',
     '| 4.11-1 | inferred | x | later | |'),
    (conformance.named_tests_exist, '4.11', '| 4.11-1 | rule | x | `unit/test_a:no` | |'),
    (conformance.named_tests_run, '4.11', '| 4.11-1 | rule | x | `unit/test_c:not_yet` | |'),
    (conformance.what_is_mended_is_not_open, '4.11',
     '| 4.11-1 | rule | x | open: no, `unit/test_a:it_works` | |'),
    (no_section_is_left_out, '4.7', ''),
)


def _broken_rules(fault):
    rows = dict(CLEAN)
    if fault:
        section, row = fault
        rows[int(section.split('.')[1])] = row
    with tempfile.TemporaryDirectory() as root:
        for path, text in conformance.FILES.items():
            plant(root, path, text)
        plant(root, TABLE, '| id | level |\n|--|--|\n' + '\n'.join(rows.values()))
        tree = tree_of(root)
        return [rule for rule in RULES if any(rule(tree))]


def self_check():
    return trial(RULES, _broken_rules,
                 [(rule, row or f'{section} without a row', (section, row))
                  for rule, section, row in FAULTS])


def check(root):
    return conformance.check_tree(tree_of(root), RULES)


if __name__ == '__main__':
    main(check, self_check)
