# SPDX-License-Identifier: MIT
"""What ninja has to build for some suites, from `meson introspect`.

    meson introspect --tests --targets BUILD | test_targets.py BUILD SUITE...

A path a line, relative to BUILD.
"""

import json
import os
import sys


def targets(known, build, suites):
    """The files in the build directory that tests of these suites run or depend on."""
    build = os.path.realpath(build)
    made = {t['id']: t['filename'] for t in known['targets']}
    found = set()
    for test in known['tests']:
        if not {s.rpartition(':')[2] for s in test['suite']} & set(suites):
            continue
        paths = [word for word in test['cmd'] if os.path.isabs(word)]
        for name in test['depends']:
            paths += made[name]
        for path in paths:
            path = os.path.relpath(os.path.realpath(path), build)
            if not path.startswith('..'):
                found.add(path)
    return sorted(found)


if __name__ == '__main__':
    print('\n'.join(targets(json.load(sys.stdin), sys.argv[1], sys.argv[2:])))
