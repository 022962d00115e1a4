# SPDX-License-Identifier: MIT
"""What the checkers of the house's rules share: TAP, a tree of planted faults
to try the rules on, the command line."""

import argparse
import os
import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def line(self, good, name, notes=()):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {name}')
        for note in notes:
            print(f'# {note}')

    def done(self):
        print(f'1..{self.count}', flush=True)
        return 1 if self.failed else 0


def plant(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def trial(rules, broken, planted):
    """Shows that each rule finds its own faults and no other's.

    broken(FAULT) is the rules that a clean folder breaks once FAULT is in it;
    None: nothing is.  planted: (rule, name, fault) of each.
    """
    tap = Tap()
    tap.line(not broken(None), 'what is clean breaks no rule')
    for rule, name, fault in planted:
        found = broken(fault)
        tap.line(found == [rule], f'{rule.__name__} finds {name}',
                 [] if found == [rule] else [r.__name__ for r in found])
    untested = set(rules) - {rule for rule, _, _ in planted}
    tap.line(not untested, 'every rule has a planted fault',
             [r.__name__ for r in untested])
    return tap.done()


def main(check, self_check):
    parser = argparse.ArgumentParser()
    parser.add_argument('tree', nargs='?')
    parser.add_argument('--self-check', action='store_true')
    args = parser.parse_args()
    if args.self_check == bool(args.tree):
        parser.error('name a tree, or --self-check')
    sys.exit(self_check() if args.self_check else check(args.tree))
