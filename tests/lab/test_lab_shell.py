# SPDX-License-Identifier: MIT
"""The console as a person has it: what is typed into tmux, and what its screen
shows then."""

import grp
import os
import re
import shutil
import stat
import subprocess

from lab import Lab, missing, wait_until
from stations import KEYHOLE, Node
from tap import equal, main, test, true
from terminal import Terminal
from topology import HOME, World

PROMPT = 'keyhole>$'
LINKED = ['connected to 2002: opened over ipv4 at #', ' in # ms (# round trips of # ms)']
TOP = [
    'node       2001 W1AW, up #m #s, version #',
    'registrar #: registered, # ms, seen as #',
    'reach      opened: Behind an address translator; callers get through by OPEN/OVE',
    'radio      sim, COR down, PTT off',
    'receive # dBFS [ ]',
    'transmit # dBFS [ ]',
    '',
    'NODE      NAME            MODE    KEYED PATH        RTT  JIT  LOSS  BEH       UP',
    '2002      W2XYZ Boston, M trx out       opened # # # #m #s',
]


def masked(line):
    """Without the figures that differ from run to run; numbers of nodes stay."""
    line = re.sub(r'\[ +\]', '[ ]', line)
    line = re.sub(r'^ +', ' ', line)
    line = re.sub(r' *(?<![\w.])-?\d+(?:[.:]\d+)*(?=[ ,)ms:]|$)',
                  lambda m: m[0] if re.fullmatch(r' *200\d', m[0]) else ' #' if m[0][0] == ' ' else '#', line)
    return re.sub(r' +# dBFS', ' # dBFS', line)


def shell(node, *words, **options):
    return Terminal(node.dir, [KEYHOLE, '-s', node.socket, *words], **options)


def two_nodes(lab):
    world = World(lab)
    names = os.path.join(lab.dir, 'astdb.txt')
    with open(names, 'w', encoding='ascii') as f:
        f.write('; nodes\n2002|W2XYZ|145.23 \033[2J|Boston, MA\n2003\n')
    a = world.behind('2001', HOME, node={'callsign': 'W1AW'}, lookup={'names': names})
    b = world.behind('2002', HOME)
    world.up()
    return a, b


def said_since(screen, typed):
    """The lines between what was typed last and the prompt."""
    at = max(i for i, line in enumerate(screen) if line == f'keyhole> {typed}')
    return screen[at + 1:-1]


def enter(terminal, typed, prompt=PROMPT):
    """What the shell says to a line."""
    terminal.type(typed)
    terminal.key('Enter')
    return said_since(terminal.see(
        lambda lines: len(lines) > 1 and re.search(prompt, lines[-1]) and
        f'keyhole> {typed}' in lines[-30:-1]), typed)


@test
def a_person_links_two_nodes_and_watches_them():
    with Lab(delay_ms=25) as lab:
        a, _ = two_nodes(lab)
        with shell(a) as t:
            t.node = a
            t.wait(PROMPT)
            completion(t)
            linked(t)
            watched(t)
            recalled(t)
            t.key('C-d')
            # As of the last command, which was refused.
            t.wait('^ended 1$')
        history_is_private(a)


def completion(t):
    t.type('looku')
    t.key('Tab')
    t.wait('^keyhole> lookup$')
    t.key('C-u')
    t.type('connect 2002 --mode local')
    t.key('Tab')
    t.wait('^keyhole> connect 2002 --mode local-monitor$')
    t.key('C-u')
    t.wait(PROMPT)


def linked(t):
    equal(LINKED, [masked(line) for line in enter(t, 'connect 2002')], 'what connect says')
    # One line that grew, and gave way.
    sent = t.raw().decode()
    steps = re.findall(r'\r(2002: [a-z ,]+)\x1b\[K', sent)
    equal(['2002: registrar', '2002: registrar, punching', '2002: registrar, punching, path proved',
           '2002: registrar, punching, path proved, calling'], steps, 'steps')
    said = [line for line in enter(t, 'status') if 'W2XYZ' in line]
    equal(['           W2XYZ, 145.23 ?[2J, Boston, MA'], said, 'whose it is')
    # Its number is known now.
    t.type('disconnect 20')
    t.key('Tab')
    t.wait('^keyhole> disconnect 2002$')
    t.key('C-u')
    t.wait(PROMPT)


def watched(t):
    t.type('top')
    t.key('Enter')
    shown = t.see(lambda lines: lines and lines[-1] == 'q ends' and len(lines) == 24, what='top')
    equal(TOP + [''] * (23 - len(TOP)) + ['q ends'], [masked(line) for line in shown], 'top')
    began = len(t.raw())
    t.see(lambda lines: shown[0] != lines[0], what='another second')
    # Kind to a slow line: a figure here and there, and nothing is cleared.
    sent = t.raw()[began:]
    true(b'\x1b[2J' not in sent and len(sent) < 400, f'{len(sent)} octets a second')
    t.resize(40, 12)
    narrow = t.see(lambda lines: lines[-1] == 'q ends' and len(lines) == 12, what='a small top')
    equal('NODE      NAME          KEYED PATH', narrow[7], 'head of a narrow top')
    equal('2002      W2XYZ Boston,       opened', narrow[8], 'link in a narrow top')
    t.resize(80, 24)
    t.see(lambda lines: len(lines) == 24 and lines[-1] == 'q ends', what='top as it was')
    t.key('q')
    # The page before it is back, with the line that began it.
    back = t.wait(PROMPT)
    true('keyhole> top' in back and any('connected to 2002' in line for line in back), back)


def recalled(t):
    t.key('Up', 'Up', 'Up')
    t.wait('^keyhole> connect 2002$')
    t.key('C-u')
    t.wait(PROMPT)
    # Ctrl-C ends what is followed, and not the shell.
    t.type('events')
    t.key('Enter')
    t.see(lambda lines: lines[-1] == 'keyhole> events')
    t.node.console('disconnect', '2002')
    t.see(lambda lines: '"callsign":"W2XYZ"' in ''.join(lines) and '"event":"link_down"' in ''.join(lines),
          what='an event with a callsign')
    t.key('C-c')
    t.wait(PROMPT)
    equal(['keyhole: there is no link to node 2009'], enter(t, 'disconnect 2009'), 'a refusal')


def history_is_private(node):
    path = os.path.join(node.dir, '.local/state/keyhole/history')
    equal(0o600, stat.S_IMODE(os.stat(path).st_mode), 'mode of the history')
    with open(path, encoding='utf-8') as f:
        equal(['connect 2002', 'status', 'top', 'events', 'disconnect 2009'], f.read().split('\n')[:-1], 'history')
    with shell(node) as t:
        t.wait(PROMPT)
        t.key('Up')
        t.wait('^keyhole> disconnect 2009$')


@test
def colour_is_for_terminals_that_want_it():
    with Lab() as lab:
        a, _ = two_nodes(lab)
        for env, wanted in (({}, True), ({'NO_COLOR': '1'}, False)):
            with shell(a, 'top', **env) as t:
                t.see(lambda lines: lines and lines[-1] == 'q ends')
                equal(wanted, b'\x1b[0;32m' in t.raw(), f'colour with {env}')
                t.key('C-c')
                t.wait('^ended 0$')
        done = a.console('top')
        equal((2, ''), (done.returncode, done.stdout), 'top without a terminal')
        # On a pipe a line each step.
        done = a.console('connect', '2002', '--wait', '10')
        equal(['... asking the registrar', '... the node accepts; opening a path to it',
               '... a path is proved', '... calling'] + LINKED,
              [masked(line) for line in done.stdout.splitlines()], 'steps')


def as_nobody(node, groups, *words):
    """What the console does for a user who is in those groups only."""
    done = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', groups, KEYHOLE, '-s', node.socket,
                           *words], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@test
def members_of_the_group_dial_and_others_are_told_why_not():
    with Lab() as lab:
        # Debian's group "users" stands for "keyhole", which a test does not make.
        node = Node(lab, lab.host('a'), '2001', control={'group': 'users'})
        os.chmod(lab.dir, 0o755)
        wait_until(node.status, 10, 'the node to start')
        users = f'--groups={grp.getgrnam("users").gr_gid}'
        equal((1, '', 'keyhole: nobody knows node 2002 (nodes: it is not listed)\n'),
              as_nobody(node, users, 'connect', '2002', '--wait', '5'), 'a member')
        equal((3, '', f'keyhole: {node.socket}: you are not in the group users: sudo adduser nobody users, '
                      'then log in again\n'),
              as_nobody(node, '--clear-groups', 'connect', '2002'), 'a stranger')


if __name__ == '__main__':
    main(missing() or (None if shutil.which('tmux') else 'needs tmux'))
