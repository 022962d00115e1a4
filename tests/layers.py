# SPDX-License-Identifier: MIT
"""Enforces what may know what: each rule is a TAP test.

    layers.py TREE          the rules, over the sources in TREE
    layers.py --self-check  every rule finds a planted violation, and only it

A rule is a function that yields what is wrong as (path, line, text).
"""

import os
import re
import subprocess
import tempfile
from fnmatch import fnmatch
from typing import NamedTuple

from house import Tap, main, plant, trial

ROOMS = ('proto', 'audio', 'radio', 'config', 'daemon')
WALLS = ('proto', 'audio', 'radio', 'config')  # know nothing of one another

# Who in the daemon may include whom, besides itself and the rooms.
DAEMON_ROOMS = {
    'daemon/node': (),
    'daemon/io': (),
    'daemon/console': ('daemon/io', 'daemon/doctor'),
    'daemon/doctor': ('daemon/io',),
    'daemon/registrar': ('daemon/io',),
}

PURE = {'assert.h', 'ctype.h', 'errno.h', 'inttypes.h', 'limits.h', 'math.h',
        'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h',
        'string.h', 'strings.h'}
LIBC = PURE | {'arpa/inet.h', 'fcntl.h', 'float.h', 'locale.h',
               'netinet/in.h', 'pthread.h', 'stdatomic.h', 'sys/stat.h',
               'sys/types.h', 'time.h', 'unistd.h'}


class Room(NamedTuple):
    """What a room's files may take from the system.

    special: header pattern -> pattern of the only files that may have it.
    """
    headers: set
    special: dict


SYSTEM = {
    'proto': Room({'assert.h', 'inttypes.h', 'limits.h', 'stdbool.h',
                   'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h'},
                  {'sodium.h': 'proto/key*.c', 'nettle/*': 'proto/key*.c'}),
    'audio': Room(LIBC, {'spandsp/*': 'audio/[cd]*[cf].c',
                         'alsa/*': 'audio/*alsa*.c',
                         'poll.h': 'audio/alsa*',
                         'signal.h': 'audio/alsa*.c'}),
    'radio': Room(LIBC, {'libusb.h': 'radio/*usb*.c',
                         'libusb-1.0/*': 'radio/*usb*.c',
                         'linux/usbdevice_fs.h': 'radio/*usbfs.c',
                         'sys/ioctl.h': 'radio/*usbfs.c',
                         'dirent.h': 'radio/*sysfs.c'}),
    'config': Room(LIBC, {'libconfig.h': 'config/conf_load*'}),
    'daemon/node': Room(PURE, {}),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
STDIO_CALL = re.compile(
    r'\b(v?f?printf|f?put[cs]|putchar|fopen|fwrite|perror|FILE|std(out|err))\b')
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
SPDX = 'SPDX-License-' + 'Identifier: MIT'
BAD_NAMES = {'util', 'utils', 'common', 'misc', 'helper', 'helpers'}
# Split, so that this file does not match itself.
BAD_WORDS = ('/wo' 'rk/', '.lib' 'rary')


class Tree:
    """The sources under @root, by path relative to it."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(p for p in self._list()
                            if os.path.isfile(os.path.join(root, p)))
        self._texts = {}

    def _list(self):
        if not os.path.exists(os.path.join(self.root, '.git')):
            return set(self._walk())
        # safe.directory: the tree may be another user's, as under sudo.
        git = subprocess.run(
            ['git', '-c', 'safe.directory=*', '-C', self.root, 'ls-files',
             '-z', '--cached', '--others', '--exclude-standard'],
            stdout=subprocess.PIPE, check=True)
        return {p for p in git.stdout.decode().split('\0') if p}

    def _walk(self):
        for folder, names, files in os.walk(self.root):
            names[:] = [n for n in names if n not in ('build', '__pycache__')
                        and not n.startswith(('.git', 'obj-'))]
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def text(self, path):
        """The text of @path; empty when it is not text."""
        if path not in self._texts:
            with open(os.path.join(self.root, path), 'rb') as f:
                data = f.read()
            self._texts[path] = '' if b'\0' in data else data.decode(
                errors='replace')
        return self._texts[path]

    def sources(self, *folders):
        for path in self.paths:
            if not path.endswith(('.c', '.h')):
                continue
            if not folders or path.startswith(tuple(f + '/' for f in folders)):
                yield path

    def includes(self, path):
        """(line, is_system, header) of each #include."""
        text = self.text(path)
        for m in INCLUDE.finditer(text):
            line = text.count('\n', 0, m.start()) + 1
            yield line, m[1] == '<', m[2]


def rooms_do_not_know_one_another(tree):
    for path in tree.sources(*WALLS):
        own = path.split('/')[0]
        for line, system, header in tree.includes(path):
            room = header.split('/')[0]
            if not system and room in ROOMS and room != own:
                yield path, line, f'{own} includes {header}'


def the_daemon_keeps_its_rooms_apart(tree):
    for own, others in DAEMON_ROOMS.items():
        allowed = (own,) + others + WALLS
        for path in tree.sources(own):
            for line, system, header in tree.includes(path):
                if not system and os.path.dirname(header) not in allowed:
                    yield path, line, f'{own} includes {header}'


def _may_have(room, path, header):
    for pattern, files in room.special.items():
        if fnmatch(header, pattern):
            return fnmatch(path, files)
    return header in room.headers


def each_room_takes_its_own_system_headers_only(tree):
    for name, room in SYSTEM.items():
        for path in tree.sources(name):
            for line, system, header in tree.includes(path):
                if system and not _may_have(room, path, header):
                    yield path, line, f'<{header}> is not for this file'


def proto_formats_but_never_prints(tree):
    for path in tree.sources('proto'):
        code = COMMENT.sub(lambda m: '\n' * m[0].count('\n'), tree.text(path))
        for m in STDIO_CALL.finditer(code):
            yield path, code.count('\n', 0, m.start()) + 1, m[0]


def a_file_includes_its_own_header_first(tree):
    for path in tree.sources(*ROOMS):
        own = path[:-2] + '.h'
        if not path.endswith('.c') or own not in tree.paths:
            continue
        first = next(tree.includes(path), (1, True, 'nothing'))
        if first[1:] != (False, own):
            yield path, first[0], f'{first[2]} comes before {own}'


def includes_are_written_from_the_root(tree):
    for path in tree.sources():
        for line, system, header in tree.includes(path):
            if not system and header not in tree.paths:
                yield path, line, f'no file {header} at the root'


def no_room_for_odds_and_ends(tree):
    for path in tree.paths:
        for part in path.split('/'):
            if BAD_NAMES & set(re.split(r'[._-]', part.lower())):
                yield path, 1, f'{part} says nothing of what it is'


def every_source_states_its_licence(tree):
    for path in tree.paths:
        script = tree.text(path).startswith('#!')
        if not script and not path.endswith(('.c', '.h', '.py', '.sh')):
            continue
        head = tree.text(path).split('\n', 2)
        if SPDX not in head[1 if script else 0]:
            yield path, 1, f'no {SPDX} where the file starts'


def no_trace_of_a_workplace(tree):
    for path in tree.paths:
        for number, row in enumerate(tree.text(path).split('\n'), 1):
            for word in BAD_WORDS:
                if word in row:
                    yield path, number, f'has {word}'


RULES = (
    rooms_do_not_know_one_another,
    the_daemon_keeps_its_rooms_apart,
    each_room_takes_its_own_system_headers_only,
    proto_formats_but_never_prints,
    a_file_includes_its_own_header_first,
    includes_are_written_from_the_root,
    no_room_for_odds_and_ends,
    every_source_states_its_licence,
    no_trace_of_a_workplace,
)

# A small tree that keeps every rule.
CLEAN = {
    'proto/a.h': '#include <stdint.h>\n',
    'proto/a.c': '#include "proto/a.h"\n#include <stdio.h>\n'
                 '/* printf() is not called here. */\n'
                 'static int a(char *b) { return snprintf(b, 1, "x"); }\n',
    'proto/keys.c': '#include <sodium.h>\n#include <nettle/md5.h>\n',
    'audio/b.h': '#include <pthread.h>\n',
    'audio/alsa_play.c': '#include <alsa/asoundlib.h>\n',
    'radio/c.h': '#include <stdbool.h>\n',
    'config/conf_load.c': '#include <libconfig.h>\n',
    'daemon/io/loop.c': '#include <event2/event.h>\n#include <unistd.h>\n',
    'daemon/io/loop.h': '#include "proto/a.h"\n',
    'daemon/node/n.c': '#include "audio/b.h"\n#include "radio/c.h"\n',
    'daemon/app.c': '#include "daemon/io/loop.h"\n',
    'tests/t.h': '#include <stdlib.h>\n',
}
CLEAN['daemon/io/loop.c'] = ('#include "daemon/io/loop.h"\n'
                             + CLEAN['daemon/io/loop.c'])

# Rule, a file that breaks it, the file's text (the licence line is added).
PLANTED = (
    (rooms_do_not_know_one_another, 'proto/x.c', '#include "audio/b.h"\n'),
    (rooms_do_not_know_one_another, 'audio/x.h', '#include "proto/a.h"\n'),
    (rooms_do_not_know_one_another, 'radio/x.c', '#include "daemon/io/loop.h"\n'),
    (rooms_do_not_know_one_another, 'config/x.c', '# include "radio/c.h"\n'),
    (the_daemon_keeps_its_rooms_apart, 'daemon/node/x.c',
     '#include "daemon/io/loop.h"\n'),
    (each_room_takes_its_own_system_headers_only, 'proto/x.c',
     '#include <sodium.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'proto/x.h',
     '#include <sys/socket.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'audio/x.c',
     '#include <alsa/asoundlib.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'radio/x.c',
     '#include <libusb-1.0/libusb.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'config/x.c',
     '#include <libconfig.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'daemon/node/x.c',
     '#include <time.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'proto/y.c',
     '#include <event2/event.h>\n'),
    (each_room_takes_its_own_system_headers_only, 'daemon/node/y.c',
     '#include <event2/event.h>\n'),
    (proto_formats_but_never_prints, 'proto/x.c',
     'static void x(void) { printf("x"); }\n'),
    (a_file_includes_its_own_header_first, 'proto/a.c',
     '#include <stdio.h>\n#include "proto/a.h"\n'),
    (includes_are_written_from_the_root, 'audio/x.c', '#include "b.h"\n'),
    (no_room_for_odds_and_ends, 'radio/util.c', ''),
    (no_room_for_odds_and_ends, 'daemon/helpers/x.c', ''),
    (no_room_for_odds_and_ends, 'proto/iax2_common.h', ''),
    (every_source_states_its_licence, 'radio/x.c', None),
    (every_source_states_its_licence, 'tests/x.py', None),
    (no_trace_of_a_workplace, 'README.md', f'See {BAD_WORDS[0]}notes.\n'),
    (no_trace_of_a_workplace, 'daemon/x.c', f'/* {BAD_WORDS[1]}/x */\n'),
)


def _octets(path, text):
    """What is planted at @path; None: a file without a licence."""
    if text is None:
        return '/* nobody\'s */\n'
    if path.endswith(('.c', '.h', '.py')):
        return f'/* {SPDX} */\n{text}'
    return text


def _broken_rules(fault):
    with tempfile.TemporaryDirectory() as root:
        for path, text in (*CLEAN.items(), *([fault] if fault else [])):
            plant(root, path, _octets(path, text))
        tree = Tree(root)
        return [rule for rule in RULES if any(rule(tree))]


def self_check():
    return trial(RULES, _broken_rules,
                 [(rule, path, (path, text)) for rule, path, text in PLANTED])


def check(root):
    tap, tree = Tap(), Tree(root)
    tap.line(any(tree.sources()), 'there are sources to check')
    for rule in RULES:
        found = [f'{p}:{line}: {text}' for p, line, text in rule(tree)]
        tap.line(not found, rule.__name__, found)
    return tap.done()


if __name__ == '__main__':
    main(check, self_check)
