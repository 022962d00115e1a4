# SPDX-License-Identifier: MIT
"""Bad input, bad files, bad moments: a clear sentence, and nothing lost."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import control
from lab import Lab, missing, wait_until
from stations import KEYHOLE, KEYHOLED, REGISTRAR, write_conf
from tap import Failed, between, equal, main, test, true, within
from topology import CARRIER, World


def junk(rng, seed_frames):
    """Datagrams that are no IAX2, and IAX2 with a few octets changed."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(0, 1473))
    if kind == 1:
        return b'\x80\x01\x00\x00' + rng.randbytes(rng.randrange(0, 60))
    frame = bytearray(rng.choice(seed_frames))
    for _ in range(rng.randrange(1, 6)):
        frame[rng.randrange(len(frame))] = rng.randrange(256)
    return bytes(frame[:rng.randrange(1, len(frame) + 1)])


def flood(site, to, port, count):
    """Send junk; (octets sent, octets that came back)."""
    rng = random.Random(4569)
    poke = bytes([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0x1e])
    regreq = bytes([0x80, 9, 0, 0, 0, 0, 0, 3, 0, 0, 6, 0x0d, 6, 4]) + b'2001\x36\x00'
    new = bytes([0x80, 8, 0, 0, 0, 0, 0, 3, 0, 0, 6, 1, 0x0b, 2, 0, 2, 1, 4]) + b'2002\x36\x00'
    sent = got = 0
    with site.socket() as sock:
        sock.setblocking(False)
        for i in range(count):
            data = junk(rng, (poke, regreq, new))
            sock.sendto(data, (to, port))
            sent += len(data)
            if i % 50 == 49:
                time.sleep(0.01)
            try:
                while True:
                    got += len(sock.recv(2048))
            except BlockingIOError:
                pass
        time.sleep(0.3)
        try:
            while True:
                got += len(sock.recv(2048))
        except BlockingIOError:
            pass
    return sent, got


@test
def malformed_datagrams_are_counted_and_never_get_more_than_they_bring():
    with Lab(delay_ms=5, log_packets=False, garbage=True) as lab:
        world = World(lab)
        a = world.public('2001')
        b = world.behind('2002', CARRIER)
        world.up()
        for target, port in ((world.registrar_host, 4569), (a.host, 4569)):
            sent, got = flood(world.stranger, target.addr4, port, 5000)
            within(0, got, sent, 'octets that came back')
        counted = world.registrar.status()['counters']
        true(counted['malformed'] > 500, f'the registrar counted {counted}')
        counted = a.status()['counters']
        true(counted['malformed'] + counted['unknown_call'] > 500, f'the node counted {counted}')
        lines = sum(1 for _ in open(a.process.log)) + sum(1 for _ in open(world.registrar.process.log))
        true(lines < 100, f'{lines} lines were logged')
        equal('opened', a.connect('2002')['path'], 'a dial after that')
        b.console('disconnect', '--all')


def run(*argv, **kwargs):
    return subprocess.run(argv, text=True, capture_output=True, check=False, timeout=20, **kwargs)


def free_port():
    """A UDP port that nobody has: scenarios run side by side."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class Folder:
    """A folder with a key, for a node that runs without a lab."""

    def __enter__(self):
        self.temp = tempfile.TemporaryDirectory(prefix='kh-')
        self.path = self.temp.name
        self.port = free_port()
        self.key = run(KEYHOLE, 'keygen', self.file('key')).stdout.strip()
        return self

    def __exit__(self, *_):
        self.temp.cleanup()

    def file(self, name):
        return os.path.join(self.path, name)

    def conf(self, **more):
        groups = {'node': {'number': '2001', 'key_file': self.file('key')},
                  'iax2': {'port': self.port, 'bind4': '127.0.0.1', 'bind6': ''},
                  'control': {'socket': self.file('sock'), 'group': 'root'}}
        for name, value in more.items():
            groups.setdefault(name, {}).update(value)
        return write_conf(self.file('node.conf'), groups)


def one_sentence(done, *words):
    equal(1, done.returncode, 'exit status')
    lines = done.stderr.strip().splitlines()
    equal(1, len(lines), f'lines in {done.stderr!r}')
    for word in words:
        true(word in lines[0], f'want {word!r} in {lines[0]!r}')


@test
def a_bad_configuration_gets_every_error_with_file_and_line():
    with Folder() as f:
        path = f.file('bad.conf')
        with open(path, 'w', encoding='ascii') as out:
            out.write('node = { number = "20a1"; };\niax2 = { port = 70000; prot = 1; };\n'
                      'radio = {\n  type = "tube";\n};\n')
        for program, argv in ((KEYHOLED, ['-c', path, '--check']), (KEYHOLED, ['-c', path])):
            done = run(program, *argv)
            equal(1, done.returncode, 'exit status')
            for line, word in ((1, 'node.number'), (2, 'iax2.port'), (2, 'prot'), (4, 'radio.type')):
                true(any(x.startswith(f'{path}:{line}:') and word in x for x in done.stderr.splitlines()),
                     f'want line {line} about {word} in {done.stderr!r}')
        good = f.conf()
        equal(0, run(KEYHOLED, '-c', good, '--check').returncode, 'a good one')
        dump = run(KEYHOLED, '-c', good, '--dump-config').stdout
        with open(f.file('again.conf'), 'w', encoding='ascii') as out:
            out.write(dump)
        equal(dump, run(KEYHOLED, '-c', f.file('again.conf'), '--dump-config').stdout,
              'the dump loads to itself')


@test
def a_busy_port_is_one_sentence():
    with Folder() as f, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(('127.0.0.1', f.port))
        one_sentence(run(KEYHOLED, '-c', f.conf()), f'UDP port {f.port}', 'in use')


@test
def a_key_file_that_is_missing_open_to_others_or_broken_is_one_sentence():
    with Folder() as f:
        conf = f.conf()
        os.chmod(f.file('key'), 0o644)
        one_sentence(run(KEYHOLED, '-c', conf), f.file('key'), 'chmod 600')
        os.chmod(f.file('key'), 0o600)
        with open(f.file('key'), 'w', encoding='ascii') as out:
            out.write('not a key\n')
        one_sentence(run(KEYHOLED, '-c', conf), f.file('key'), 'not a key file')
        os.unlink(f.file('key'))
        one_sentence(run(KEYHOLED, '-c', conf), f.file('key'), 'No such file')


@test
def a_key_is_never_overwritten():
    with Folder() as f:
        done = run(KEYHOLE, 'keygen', f.file('key'))
        one_sentence(done, 'exists already')
        equal(f.key, run(KEYHOLE, 'pubkey', f.file('key')).stdout.strip(), 'the key it was')


@test
def a_full_disk_is_one_sentence():
    with Folder() as f:
        small = f.file('small')
        os.mkdir(small)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', small], check=True)
        try:
            with open(os.path.join(small, 'fill'), 'wb', buffering=0) as out:
                try:
                    while True:
                        out.write(b'x' * 1024)
                except OSError:
                    pass
            one_sentence(run(KEYHOLE, 'keygen', os.path.join(small, 'key')), 'No space left')
            true(not os.path.exists(os.path.join(small, 'key')), 'no half a key is left')
            done = run(KEYHOLED, '-c', f.conf(radio={'type': 'sim'},
                                              sim={'tx_wav': os.path.join(small, 'tx.wav')}))
            one_sentence(done, 'sim radio', 'No space left')
            conf = write_conf(f.file('registrar.conf'), {
                'iax2': {'port': free_port(), 'bind4': '127.0.0.1', 'bind6': ''},
                'registrar': {'key_file': f.file('key'), 'directory': os.path.join(small, 'd.db')},
                'control': {'socket': f.file('rsock'), 'group': 'root'}})
            one_sentence(run(REGISTRAR, '-c', conf), 'directory')
        finally:
            subprocess.run(['umount', small], check=True)


@test
def a_second_daemon_on_the_same_socket_is_refused_and_a_dead_ones_socket_replaced():
    with Folder() as f:
        first = subprocess.Popen([KEYHOLED, '-c', f.conf()], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: run(KEYHOLE, '-s', f.file('sock'), 'version').returncode == 0 and
                       os.path.exists(f.file('sock')), 5, 'the first to start')
            one_sentence(run(KEYHOLED, '-c', f.conf(iax2={'port': free_port(), 'bind4': '127.0.0.1', 'bind6': ''})),
                         f.file('sock'), 'another process')
        finally:
            first.kill()
            first.wait(5)
        true(os.path.exists(f.file('sock')), 'the killed one left its socket')
        second = subprocess.Popen([KEYHOLED, '-c', f.conf()], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: run(KEYHOLE, '-s', f.file('sock'), 'status').returncode == 0, 5,
                       'the second to start')
        finally:
            second.terminate()
            equal(0, second.wait(5), 'exit status after SIGTERM')
        true(not os.path.exists(f.file('sock')), 'no socket is left')


@test
def the_console_says_why_it_cannot_reach_the_daemon():
    with Folder() as f:
        done = run(KEYHOLE, '-s', f.file('sock'), 'status')
        equal(3, done.returncode, 'exit status')
        true('not running' in done.stderr, done.stderr)
        equal(2, run(KEYHOLE, 'frobnicate').returncode, 'an unknown command')
        equal(2, run(KEYHOLE, 'connect').returncode, 'a command without its argument')
        daemon = subprocess.Popen([KEYHOLED, '-c', f.conf()], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: control.status(f.file('sock')), 5, 'the daemon to start')
            # A copy: the checkout may be where others may not look.
            os.chmod(f.path, 0o755)
            keyhole = shutil.copy(KEYHOLE, f.file('keyhole'))
            done = run(keyhole, '-s', f.file('sock'), 'status', user='nobody', group='nogroup',
                       extra_groups=[])
            equal(3, done.returncode, 'exit status for a stranger')
            true('group keyhole' in done.stderr, done.stderr)
        finally:
            daemon.terminate()
            daemon.wait(5)


@test
def signals_of_no_meaning_change_nothing_and_quit_is_a_good_bye():
    with Folder() as f:
        registrar = write_conf(f.file('registrar.conf'), {
            'iax2': {'port': free_port(), 'bind4': '127.0.0.1', 'bind6': ''},
            'registrar': {'key_file': f.file('key'), 'directory': f.file('d.db')},
            'control': {'socket': f.file('rsock'), 'group': 'root'}})
        for program, conf, sock in ((KEYHOLED, f.conf(), f.file('sock')),
                                    (REGISTRAR, registrar, f.file('rsock'))):
            daemon = subprocess.Popen([program, '-c', conf], stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: run(KEYHOLE, '-s', sock, 'status').returncode == 0, 5,
                           'the daemon to start')
                for name in ('SIGPIPE', 'SIGXFSZ', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'):
                    daemon.send_signal(signal.Signals[name])
                    equal(0, run(KEYHOLE, '-s', sock, 'status').returncode, f'status after {name}')
                daemon.send_signal(signal.SIGQUIT)
                equal(0, daemon.wait(5), 'exit status after SIGQUIT')
                true(not os.path.exists(sock), 'no socket is left')
            finally:
                daemon.kill()
                daemon.wait(5)


@test
def a_group_that_does_not_exist_is_said_and_no_reason_to_stay_away():
    with Folder() as f:
        conf = f.conf(control={'group': 'nobody-has-this-group'})
        with open(f.file('log'), 'w', encoding='ascii') as log:
            daemon = subprocess.Popen([KEYHOLED, '-c', conf], stderr=log)
        try:
            wait_until(lambda: run(KEYHOLE, '-s', f.file('sock'), 'status').returncode == 0, 5,
                       'the daemon to start')
            with open(f.file('log'), encoding='ascii') as log:
                said = log.read()
            true('warning: ' in said and 'nobody-has-this-group' in said, said)
        finally:
            daemon.terminate()
            daemon.wait(5)


@test
def a_reload_takes_effect_and_drops_no_link():
    with Lab(delay_ms=5) as lab:
        world = World(lab)
        a = world.behind('2001', CARRIER)
        b = world.behind('2002', CARRIER)
        c = world.behind('2003', CARRIER)
        world.up()
        a.connect('2002')
        with open(b.conf, encoding='ascii') as f:
            text = f.read()
        with open(b.conf, 'w', encoding='ascii') as f:
            f.write(text + 'accept = { deny = [ "2003" ]; };\n')
        equal(0, b.console('reload').returncode, 'reload')
        code, said, _ = c.refused('2002')
        equal((1, True), (code, 'refuses' in said), said)
        equal(['up'], [x['state'] for x in b.links()], 'the link that was there')
        # A broken file changes nothing and is said.
        with open(b.conf, 'a', encoding='ascii') as f:
            f.write('bogus = 1;\n')
        done = b.console('reload')
        equal(1, done.returncode, 'exit status of a bad reload')
        true('bogus' in done.stderr, done.stderr)
        equal(['up'], [x['state'] for x in b.links()], 'the link that was there')


def found(folder):
    """What the doctor says but of disks, on which others write."""
    answer = json.loads(run(KEYHOLE, '-s', folder.file('sock'), '--json', 'doctor').stdout)
    return [f for f in answer['findings'] if f['id'] != 'disk']


@test
def a_setting_that_takes_a_restart_is_named_and_does_not_take_effect():
    with Folder() as f:
        conf = f.conf()
        daemon = subprocess.Popen([KEYHOLED, '-c', conf], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: run(KEYHOLE, '-s', f.file('sock'), 'status').returncode == 0, 5,
                       'the daemon to start')
            before = found(f)
            f.conf(node={'number': '2009'}, iax2={'port': free_port()}, radio={'timeout_s': 60})
            for _ in range(2):  # it is said as long as it waits
                done = run(KEYHOLE, '-s', f.file('sock'), '--json', 'reload')
                equal({'restart': ['node.number', 'iax2.port']}, json.loads(done.stdout), 'the answer')
            done = run(KEYHOLE, '-s', f.file('sock'), 'reload')
            true('iax2.port changed; it takes a restart' in done.stdout, done.stdout)
            status = json.loads(run(KEYHOLE, '-s', f.file('sock'), '--json', 'status').stdout)
            equal('2001', status['node'], 'the number in force')
            equal(before, found(f), 'what doctor finds')
            daemon.send_signal(signal.SIGHUP)
            equal(0, run(KEYHOLE, '-s', f.file('sock'), 'status').returncode, 'status after SIGHUP')
        finally:
            daemon.terminate()
            equal(0, daemon.wait(5), 'exit status')


@test
def the_control_socket_survives_what_is_not_json_rpc():
    with Folder() as f:
        daemon = subprocess.Popen([KEYHOLED, '-c', f.conf()], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: control.status(f.file('sock')), 5, 'the daemon to start')
            for line, code in ((b'nonsense', -32700), (b'{"id":1}', -32600),
                               (b'{"id":1,"method":"fly"}', -32601),
                               (b'{"id":1,"method":"status","params":[]}', -32602),
                               (b'{"id":1,"method":"connect","params":{"node":5}}', -32602)):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(5)
                    s.connect(f.file('sock'))
                    s.sendall(line + b'\n')
                    equal(code, json.loads(s.makefile().readline())['error']['code'], repr(line))
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(f.file('sock'))
                try:
                    s.sendall(b'x' * 65536)
                    said = s.makefile('rb').read()  # until it is cut off
                    true(b'too long' in said, f'a line without an end: {said!r}')
                except OSError:
                    pass
            equal(0, run(KEYHOLE, '-s', f.file('sock'), 'status').returncode, 'status after that')
        finally:
            daemon.terminate()
            daemon.wait(5)


@test
def the_main_job_ends_well():
    job = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'main_job.py')
    done = subprocess.run(['/usr/bin/python3', job, '--json'], text=True, capture_output=True,
                          check=False, timeout=110)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    got = json.loads(done.stdout)
    equal(True, got['ok'], 'ok')
    equal('opened', got['path'], 'path')
    between(30, min(got['snr_db']), 60, 'snr_db')
    between(0, got['dial_ms'], 400, 'dial_ms')


if __name__ == '__main__':
    main(missing())
