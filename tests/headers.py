# SPDX-License-Identifier: MIT
"""Compiles every header alone, with its neighbours' own options: TAP.

    headers.py SOURCE_DIR BUILD_DIR

A header must need nothing before it and bear to be included twice.
"""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

FOLDERS = ('proto', 'audio', 'radio', 'config', 'daemon', 'tests')
# What a header offers need not be used.
QUIET = ('-Wno-unused-function', '-Wno-unused-variable')
WITH_VALUE = ('-o', '-MF', '-MQ', '-MT')


def headers(source):
    for folder in FOLDERS:
        for at, _, names in os.walk(os.path.join(source, folder)):
            for name in names:
                if name.endswith('.h'):
                    yield os.path.relpath(os.path.join(at, name), source)


def options_by_folder(source, build):
    """Folder -> the compiler with the options of one of its C files."""
    with open(os.path.join(build, 'compile_commands.json'),
              encoding='utf-8') as f:
        commands = json.load(f)
    found = {}
    for entry in commands:
        path = os.path.join(entry['directory'], entry['file'])
        folder = os.path.dirname(os.path.relpath(path, source))
        if path.endswith('.c'):
            found.setdefault(folder, _without_files(entry))
    return found


def _without_files(entry):
    words = iter(shlex.split(entry['command']))
    kept = []
    for word in words:
        if word in WITH_VALUE:
            next(words)
        elif word not in ('-c', '-MD', entry['file']):
            kept.append(word)
    return kept


def nearest(options, folder):
    """The options of @folder, or of the folders below or above it."""
    if folder in options:
        return options[folder]
    below = [f for f in options if f.startswith(folder + '/')]
    if below:
        return options[min(below)]
    return nearest(options, os.path.dirname(folder)) if folder else \
        options[min(options)]


def compile_alone(argv, header, build):
    """The compiler's complaints; empty when there are none."""
    done = subprocess.run(
        [*argv, *QUIET, '-Werror', '-fsyntax-only', '-x', 'c', '-'],
        input=f'#include "{header}"\n#include "{header}"\n', text=True,
        capture_output=True, cwd=build, check=False)
    return done.stderr.strip() if done.returncode else ''


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    options = options_by_folder(source, build)
    names = sorted(headers(source))
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda h: compile_alone(
            nearest(options, os.path.dirname(h)), h, build), names)
        for number, (name, complaint) in enumerate(zip(names, results), 1):
            failed += bool(complaint)
            print(f'{"not ok" if complaint else "ok"} {number} - {name}')
            for row in complaint.splitlines():
                print(f'# {row}')
    bad = compile_alone(options[min(options)], 'no/such/header.h', build)
    print(f'{"ok" if bad else "not ok"} {len(names) + 1} - '
          'a header that does not compile is told')
    print(f'1..{len(names) + 1}')
    return 1 if failed or not bad else 0


if __name__ == '__main__':
    sys.exit(main())
