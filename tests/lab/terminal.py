# SPDX-License-Identifier: MIT
"""A program on a terminal that a person sits at: tmux types, and tells what
the screen shows."""

import os
import re
import shlex
import subprocess

from lab import wait_until


class Terminal:
    """@argv on a terminal of its own; ends with the block it is used in."""

    _count = 0

    def __init__(self, folder, argv, columns=80, lines=24, **env):
        Terminal._count += 1
        self._socket = os.path.join(folder, f'tmux-{Terminal._count}')
        self._raw = os.path.join(folder, f'terminal-{Terminal._count}.raw')
        words = ['env', '-u', 'XDG_STATE_HOME', 'LC_ALL=C.UTF-8', f'HOME={folder}']
        words += [f'{name}={value}' for name, value in env.items()] + list(argv)
        # What it sends is recorded from its first octet on.
        open(self._raw, 'wb').close()
        self._tmux('-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y', str(lines),
                   'read -r _; ' + shlex.join(words) + '; printf "ended %s\\n" $?; read -r _')
        self._tmux('pipe-pane', '-o', 'cat >> ' + shlex.quote(self._raw))
        self._tmux('send-keys', 'Enter')

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind:
            print('the terminal shows:', *self.screen(), sep='\n')
        self._tmux('kill-server', check=False)

    def _tmux(self, *words, check=True):
        done = subprocess.run(['tmux', '-S', self._socket, *words], text=True, check=False,
                              capture_output=True, env={**os.environ, 'LC_ALL': 'C.UTF-8', 'TMUX': ''})
        if check and done.returncode:
            raise RuntimeError(f'tmux {words}: {done.stderr}')
        return done.stdout

    def screen(self):
        """Lines, without blanks at their ends, nor empty ones at the screen's."""
        lines = [line.rstrip() for line in self._tmux('capture-pane', '-p').split('\n')]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def raw(self):
        """All that the program has sent."""
        with open(self._raw, 'rb') as f:
            return f.read()

    def resize(self, columns, lines):
        self._tmux('resize-window', '-x', str(columns), '-y', str(lines))

    def type(self, text):
        self._tmux('send-keys', '-l', text)

    def key(self, *names):
        """Keys by tmux's names: Enter, Tab, Up, C-c."""
        self._tmux('send-keys', *names)

    def wait(self, pattern, timeout_s=10):
        """Until the screen's last line matches; the screen then."""
        return self.see(lambda lines: lines and re.search(pattern, lines[-1]), timeout_s, pattern)

    def see(self, is_there, timeout_s=10, what='what should be seen'):
        """Until is_there(lines); the screen then."""
        shown = []

        def look():
            shown[:] = self.screen()
            return is_there(shown)
        wait_until(look, timeout_s, f'{what} on the screen', every_s=0.1)
        return shown
