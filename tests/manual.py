# SPDX-License-Identifier: MIT
"""The README and the manual pages say what is so.

    manual.py TREE KEYHOLED REGISTRAR KEYHOLE    TAP: settings, commands and pages

Each setting that README.md shows is read by keyholed or keyhole-registrar, each
command of the console is one, each manual it names is there, each page formats
without a warning, and the events in keyhole-events(7) are those that the daemon
tells.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from house import Tap

KEY = "THE REGISTRAR'S PUBLIC KEY"
NODE = 'node = { number = "2001"; };\n'


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def samples(readme):
    """The settings in it, block by block."""
    for block in re.findall(r'(?:^ {4,}\S.*\n)+', readme, re.M) + re.findall(r'`(\w+ = [{(][^`]*;)`', readme):
        lines = [line.strip() for line in block.splitlines()]
        if re.match(r'\w+ = [{(]', lines[0]):
            yield '\n'.join(lines)


def settings_are_read(readme, programs, folder):
    """Either program understands each: what is the node's is not the registrar's."""
    path = os.path.join(folder, 'conf')
    for text in samples(readme):
        said = []
        for program, before in programs:
            with open(path, 'w', encoding='utf-8') as f:
                f.write((before if not text.startswith('node =') else '') + text.replace(KEY, 43 * 'A' + '='))
            done = subprocess.run([program, '-c', path, '--check'], text=True, capture_output=True, check=False)
            said.append(done.stderr.strip() if done.returncode else None)
        if all(said):
            yield f'{text}: {said}'


def commands_are_there(readme, keyhole):
    known = {line.split()[0] for line in
             subprocess.run([keyhole, 'help'], text=True, capture_output=True, check=True).stdout.splitlines()}
    used = re.findall(r'(?:^ {4,}(?:.*-- )?|`)keyhole (?:--json )?([a-z]+)', readme, re.M)
    yield from sorted(set(used) - known)


def manuals_are_there(readme, pages):
    for name, section in sorted(set(re.findall(r'`([a-z][a-z.-]+)\((\d)\)`', readme))):
        if f'{name}.{section}' not in pages:
            yield f'{name}({section})'


def pages_format(paths):
    for path in paths:
        done = subprocess.run(['groff', '-ww', '-man', '-Tutf8', '-rLL=80n', '-z', path], text=True,
                              capture_output=True, check=False)
        yield from done.stderr.splitlines()


def events_are_told(tree, page):
    """Names in JSON of the sources, and those that the page heads an entry with."""
    text = ''.join(read(path) for path in glob.glob(os.path.join(tree, 'daemon', '*.c')))
    told = set(re.findall(r'"event",\s+(?:json_string\()?"(\w+)"', text))
    told |= set(re.findall(r'\bwhat = "(\w+)"', text))
    told |= set(re.findall(r'on_switch\(a, ev, "(\w+)"', text))
    part = page[page.index('.SH EVENTS'):page.index('.SH THE RECORD OF A CALL')]
    heads = ' '.join(re.findall(r'^\.TP\n\.BR? (.*)$', part, re.M))
    listed = set(re.findall(r'\b[a-z]+(?:_[a-z]+)*\b', heads))
    yield from (f'{name}: not in the page' for name in sorted(told - listed))
    yield from (f'{name}: nobody tells it' for name in sorted(listed - told))


def main(tree, keyholed, registrar, keyhole):
    readme = read(tree, 'README.md')
    paths = sorted(glob.glob(os.path.join(tree, 'packaging', 'man', '*.[1-8]')))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='kh-') as folder:
        found = list(settings_are_read(readme, ((keyholed, NODE), (registrar, '')), folder))
    tap.line(not found, 'settings in the README are read', found)
    for name, found in (
            ('commands in the README are the console\'s', commands_are_there(readme, keyhole)),
            ('manuals in the README are there',
             manuals_are_there(readme, {os.path.basename(path) for path in paths})),
            ('events are told as keyhole-events(7) has them',
             events_are_told(tree, read(tree, 'packaging', 'man', 'keyhole-events.7')))):
        found = list(found)
        tap.line(not found, name, found)
    if shutil.which('groff'):
        found = list(pages_format(paths))
        tap.line(not found, 'manual pages format without a warning', found)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
