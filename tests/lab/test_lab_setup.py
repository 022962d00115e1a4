# SPDX-License-Identifier: MIT
"""keyhole setup on a machine of its own: the system's own places, a user for
the service, and a systemctl that starts the real daemon; by options, and with
somebody at a terminal."""

import contextlib
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import time

from control import status
from lab import Lab, missing, wait_until
from stations import KEYHOLE, KEYHOLED, Registrar
from tap import Failed, equal, main, test, true

UID = 64123
PATIENCE_S = 60

# In a mount namespace, so that nothing of the machine's own is touched.
ENTER = '''set -e
for place in etc run sys var/lib; do mount --bind "$PLACES/$place" "/$place"; done
exec "$@"
'''

# What there is of systemd here; it does not wait for readiness.
SYSTEMCTL = '''#!/bin/sh
echo "$@" >> "$PLACES/systemctl.log"
[ "$1" = restart ] || exit 0
if [ -e "$PLACES/pid" ]; then
    kill "$(cat "$PLACES/pid")"
    while kill -0 "$(cat "$PLACES/pid")" 2> /dev/null; do sleep 0.05; done
fi
setsid "$KEYHOLED" -c /etc/keyhole/keyholed.conf > "$PLACES/keyholed.log" 2>&1 < /dev/null &
echo $! > "$PLACES/pid"
'''


class Machine:
    """A host on which Keyhole's package was just installed."""

    def __init__(self, lab, name):
        self.host = lab.host(name)
        self.places = os.path.join(lab.dir, name)
        for place in ('run/systemd/system', 'run/keyhole', 'sys', 'var/lib/keyhole', 'bin'):
            os.makedirs(os.path.join(self.places, place))
        # Other labs' files come and go in netns.
        shutil.copytree('/etc', self.at('/etc'), symlinks=True,
                        ignore=lambda folder, _: {'keyhole', 'netns'} if folder == '/etc' else ())
        os.mkdir(self.at('/etc/keyhole'))
        for file, line in (('passwd', f'keyhole:x:{UID}:{UID}::/var/lib/keyhole:/bin/false\n'),
                           ('group', f'keyhole:x:{UID}:\n')):
            with open(self.at(f'/etc/{file}'), 'r+', encoding='utf-8') as f:
                lines = [row for row in f if not row.startswith('keyhole:')]
                f.seek(0)
                f.truncate()
                f.writelines([*lines, line])
        systemctl = os.path.join(self.places, 'bin', 'systemctl')
        with open(systemctl, 'w', encoding='ascii') as f:
            f.write(SYSTEMCTL)
        os.chmod(systemctl, 0o755)
        self.config = self.at('/etc/keyhole/keyholed.conf')
        self.key = self.at('/var/lib/keyhole/node.key')
        self.socket = self.at('/run/keyhole/keyholed.sock')

    def at(self, path):
        """Where a file of the machine is for the test."""
        return self.places + path

    def plug_in(self, port, serial):
        """A CM119A for sysfs; nobody can open it."""
        device = self.at(f'/sys/bus/usb/devices/{port}')
        for file, text in (('idVendor', '0d8c'), ('idProduct', '013a'), ('busnum', '1'), ('devnum', '5'),
                           ('serial', serial), (f'{port}:1.0/bInterfaceClass', '01'),
                           (f'{port}:1.3/bInterfaceClass', '03'), (f'{port}:1.3/bInterfaceNumber', '03'),
                           (f'{port}:1.3/ep_87/type', 'Interrupt'), (f'{port}:1.3/ep_87/direction', 'in')):
            path = os.path.join(device, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='ascii') as f:
                f.write(text + '\n')

    def _argv(self, words):
        return ['ip', 'netns', 'exec', self.host.ns.name, 'unshare', '-m', 'sh', '-c', ENTER, 'sh',
                KEYHOLE, 'setup', *words]

    def _env(self):
        path = os.path.join(self.places, 'bin') + ':' + os.environ['PATH']
        return dict(os.environ, PLACES=self.places, KEYHOLED=KEYHOLED, PATH=path, TERM='dumb')

    def setup(self, *words, text=''):
        return subprocess.run(self._argv(words), env=self._env(), input=text, text=True, check=False,
                              capture_output=True, timeout=PATIENCE_S)

    def person(self, *words):
        return Person(self._argv(words), self._env())

    def settings(self):
        with open(self.config, encoding='utf-8') as f:
            return f.read()

    def files(self):
        return sorted(os.listdir(self.at('/etc/keyhole')) + os.listdir(self.at('/var/lib/keyhole')))

    def is_registered(self):
        registrars = (status(self.socket) or {}).get('registrars')
        return bool(registrars) and all(r['state'] == 'registered' for r in registrars)


class Person:
    """Somebody at a terminal, who reads what is asked before the answer."""

    def __init__(self, argv, env):
        self._pid, self._screen = pty.fork()
        if self._pid == 0:
            os.execvpe(argv[0], argv, env)
        self.seen = ''

    def _read(self, until):
        if not select.select([self._screen], [], [], max(0, until - time.monotonic()))[0]:
            raise Failed(f'the terminal is silent after: {self.seen}')
        with contextlib.suppress(OSError):  # its other end was closed
            if more := os.read(self._screen, 4096):
                self.seen += more.decode().replace('\r\n', '\n')
                return True
        return False

    def reads(self, words):
        """All of what was on the screen, up to and with these words."""
        until = time.monotonic() + PATIENCE_S
        while words not in self.seen:
            if not self._read(until):
                raise Failed(f'no {words!r} in: {self.seen}')
        before, self.seen = self.seen.split(words, 1)
        return before + words

    def types(self, text, enter='\n'):
        os.write(self._screen, (text + enter).encode())

    def ends(self):
        """Its exit status, when all that it wrote was read."""
        until = time.monotonic() + PATIENCE_S
        while self._read(until):
            pass
        os.close(self._screen)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@test
def options_alone_make_a_node_that_is_registered():
    with Lab() as lab:
        registrar = Registrar(lab, lab.host('r'))
        node = Machine(lab, 'a')

        done = node.setup('--yes', '--registrar', registrar.host.addr4)
        equal(1, done.returncode, 'exit status without a number')
        true('--number is missing' in done.stderr, done.stderr)
        done = node.setup('--yes', '--number', '2001', '--registrar', registrar.host.addr4,
                          '--registrar-key', registrar.key[:-2] + '==')
        equal(1, done.returncode, 'exit status with no key')
        true('--registrar-key: ' in done.stderr, done.stderr)
        done = node.setup('--yes', '--number', '2001', '--network', 'none', '--registrar', 'a')
        equal(1, done.returncode, 'exit status of options that contradict each other')
        equal(2, node.setup('--nonsense').returncode, 'exit status of wrong usage')
        equal([], node.files(), 'files that were made')

        # The key first, for the registrar's operator is somebody else.
        words = ['--yes', '--number', '2001', '--registrar', registrar.host.addr4, '--registrar-key',
                 registrar.key, '--radio', 'sim']
        done = node.setup(*words, '--no-start')
        equal((0, ''), (done.returncode, done.stderr), 'exit status')
        line = re.search(r'-c /etc/keyhole/registrar.conf node add 2001 (\S{44})\n',
                         done.stdout)
        true(line, done.stdout)
        equal(False, os.path.exists(node.at('/systemctl.log')), 'started')
        equal((0o600, UID, UID), (mode(node.key), *os.stat(node.key)[4:6]), 'of the key')
        equal((0o644, 0), (mode(node.config), os.stat(node.config).st_uid), 'of the settings')
        equal(['keyholed.conf', 'node.key'], node.files(), 'files')
        registrar.add('2001', line[1])

        before = node.settings()
        done = node.setup(*words)
        equal((0, ''), (done.returncode, done.stderr), 'exit status')
        true('stays as it is' in done.stdout and line[1] in done.stdout, done.stdout)
        true(f'... {registrar.host.addr4}: registered\n' in done.stdout, done.stdout)
        true(re.search(r'^ok   .*regist', done.stdout, re.M), done.stdout)
        with open(node.at('/systemctl.log'), encoding='ascii') as f:
            equal(['enable keyholed', 'restart keyholed'], f.read().splitlines(), 'systemctl')
        true(node.is_registered(), 'registered')
        equal(before, node.settings(), 'settings')

        # Again, by somebody who edited the file since.
        more = '# my own\npeers = ( { number = "1999"; secret_file = "/etc/keyhole/1999.secret"; } );\n'
        with open(node.config, 'a', encoding='utf-8') as f:
            f.write(more)
        secret = node.at('/etc/keyhole/1999.secret')
        with open(secret, 'w', encoding='ascii', opener=lambda *a: os.open(*a, mode=0o600)) as f:
            f.write('s3cret\n')
        done = node.setup('--yes', '--callsign', 'N0CALL')
        equal((0, ''), (done.returncode, done.stderr), 'exit status')
        true(more in node.settings(), node.settings())
        with open(node.config + '.bak', encoding='utf-8') as f:
            equal(before + more, f.read(), 'as it was')
        equal((0o600, UID, UID), (mode(secret), *os.stat(secret)[4:6]), 'of a secret that root made')
        wait_until(lambda: (status(node.socket) or {}).get('callsign') == 'N0CALL', 10, 'the new callsign')
        equal(['1999.secret', 'keyholed.conf', 'keyholed.conf.bak', 'node.key'], node.files(), 'files')


@test
def somebody_at_a_terminal_is_led_to_a_node_that_is_registered():
    with Lab() as lab:
        registrar = Registrar(lab, lab.host('r'))
        node = Machine(lab, 'a')

        node.plug_in('1-1.1', 'A1')
        node.plug_in('1-1.2', 'B2')
        # Who goes away in the middle leaves nothing behind.
        for leave in '\x03', '\x04':
            person = node.person()
            person.reads('Node number: ')
            person.types('2001')
            person.reads('Callsign: ')
            person.types(leave, enter='')
            person.reads('Nothing was changed.\n')
            equal(1, person.ends(), 'exit status')
            equal([], node.files(), 'files that were made')

        person = node.person()
        person.reads('Node number: ')
        person.types('two')
        person.reads("A node's number is 1 to 15 digits, such as 2001.\n")
        person.reads('Node number: ')
        person.types('2001')
        person.reads('Callsign: ')
        person.types('N0CALL')
        person.reads('Network [keyhole]: ')
        person.types('')
        person.reads('Registrar: ')
        person.types(registrar.host.addr4)
        person.reads("Registrar's key: ")
        person.types(registrar.key[1:])
        person.reads('A key has 44 characters; these are 43.\n')
        person.types(registrar.key)
        person.reads('Found on USB:\n  1  ')
        person.reads('Radio [cm108]: ')
        person.types('')
        true('at 1-1.2, serial B2' in person.reads('\nFob: '), 'which there are')
        person.types('3')
        person.reads('Which of the fobs')
        person.reads('\nFob: ')
        person.types('2')
        person.reads('Go on? [Y/n]: ')
        equal([], node.files(), 'files before it was agreed to')
        person.types('')
        person.reads('registrar.conf node add 2001 ')
        registrar.add('2001', person.reads('\n').strip())
        person.reads(f'... {registrar.host.addr4}: registered\n')
        person.reads('What the radio receives')
        person.reads('\nrx ')
        equal(0, person.ends(), 'exit status')
        true(re.search(r'^ok   .*regist', person.seen, re.M), person.seen)
        true(node.is_registered(), 'registered')
        true('fob = { serial = "B2"; };' in node.settings(), node.settings())


@test
def a_password_is_neither_seen_nor_in_the_settings():
    with Lab() as lab:
        registrar = Registrar(lab, lab.host('r'))
        node = Machine(lab, 'a')
        theirs = os.path.join(lab.dir, 'password')
        with open(theirs, 'w', encoding='ascii', opener=lambda *a: os.open(*a, mode=0o600)) as f:
            f.write('s3cret\n')
        equal(0, registrar.command('node', 'add', '50123', '--md5-secret', theirs).returncode, 'node add')
        # A key that somebody made as root stays, and becomes the service's.
        key = subprocess.run([KEYHOLE, 'keygen', node.key], check=True, text=True,
                             capture_output=True).stdout.strip()
        person = node.person('--number', '50123', '--callsign', 'N0CALL', '--radio', 'none', '--registrar',
                             registrar.host.addr4)
        person.reads('Network [keyhole]: ')
        person.types('allstarlink')
        person.reads('Password: ')
        person.types('s3cret')
        true('s3cret' not in person.reads('Go on? [Y/n]: '), 'the password is not shown')
        person.types('y')
        person.reads(f"This node's public key: {key}\n")
        person.reads(f'... {registrar.host.addr4}: registered\n')
        equal(0, person.ends(), 'exit status')
        true('s3cret' not in person.seen + node.settings(), 'the password is in no other place')
        secret = node.at('/var/lib/keyhole/allstarlink.password')
        for file in secret, node.key:
            equal((0o600, UID, UID), (mode(file), *os.stat(file)[4:6]), file)
        with open(secret, encoding='ascii') as f:
            equal('s3cret\n', f.read(), 'password')


if __name__ == '__main__':
    main(missing())
