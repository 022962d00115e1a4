# SPDX-License-Identifier: MIT
"""What ninja has to build for some suites, from `meson introspect --tests`.

    meson introspect --tests BUILD | test_targets.py BUILD SUITE...

A path a line, relative to BUILD.
"""

import json
import os
import sys


def targets(tests, build, suites):
    """The files in the build directory that tests of these suites run."""
    build = os.path.realpath(build)
    found = set()
    for test in tests:
        if not {s.rpartition(':')[2] for s in test['suite']} & set(suites):
            continue
        for word in test['cmd']:
            path = os.path.relpath(os.path.realpath(word), build)
            if os.path.isabs(word) and not path.startswith('..'):
                found.add(path)
    return sorted(found)


if __name__ == '__main__':
    print('\n'.join(targets(json.load(sys.stdin), sys.argv[1], sys.argv[2:])))
