# SPDX-License-Identifier: MIT
"""Registrars and nodes at the lab's sites: the real programs, configured."""

import json
import os
import subprocess
import time

import control
from lab import wait_until
from tap import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get('KEYHOLE_BUILD') or
                        os.path.join(ROOT, 'build', 'dev'))
KEYHOLED = os.path.join(BUILD, 'daemon', 'keyholed')
REGISTRAR = os.path.join(BUILD, 'daemon', 'keyhole-registrar')
KEYHOLE = os.path.join(BUILD, 'daemon', 'keyhole')
WAVSNR = os.path.join(BUILD, 'tests', 'lab', 'wavsnr')


def quoted(text):
    return '"' + str(text).replace('\\', '\\\\').replace('"', '\\"') + '"'


def settings(value):
    """A value in libconfig's syntax."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return '{ ' + ' '.join(f'{k} = {settings(v)};' for k, v in value.items()) + ' }'
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return '( ' + ', '.join(settings(v) for v in value) + ' )'
        return '[ ' + ', '.join(settings(v) for v in value) + ' ]'
    return quoted(value)


def write_conf(path, groups):
    with open(path, 'w', encoding='ascii') as f:
        for name, value in groups.items():
            f.write(f'{name} = {settings(value)};\n')
    return path


SECOND4 = '198.51.100.200'


def second_address(lab, site, addr, dev='eth0'):
    site.ip([f'addr add {addr}/32 dev {dev}'])
    lab.internet.route4(site, f'{addr}/32')


def with_second_address(lab, host):
    """Settings of a registrar at @host that measures from another address too."""
    second_address(lab, host, SECOND4)
    return {'measure': {'address': SECOND4}}


class Registrar:
    """keyhole-registrar on a public host."""

    def __init__(self, lab, host, name='registrar', port=4569, **more):
        self.host = host
        self.port = port
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir)
        key = os.path.join(self.dir, 'key')
        self.key = subprocess.run([KEYHOLE, 'keygen', key], check=True, text=True,
                                  capture_output=True).stdout.strip()
        self.socket = os.path.join(self.dir, 'sock')
        conf = {
            'iax2': {'port': port},
            'registrar': {'key_file': key, 'directory': os.path.join(self.dir, 'directory.db')},
            'control': {'socket': self.socket, 'group': 'root'},
        }
        for group, values in more.items():
            conf.setdefault(group, {}).update(values)
        self.conf = write_conf(os.path.join(self.dir, 'registrar.conf'), conf)
        self.start()

    def start(self):
        self.process = self.host.popen([REGISTRAR, '-c', self.conf])
        wait_until(self.status, 10, 'the registrar to start')

    def command(self, *words):
        return subprocess.run([REGISTRAR, '-c', self.conf, *words], text=True,
                              capture_output=True, check=False)

    def add(self, number, key):
        done = self.command('node', 'add', number, key)
        if done.returncode:
            raise Failed(f'node add: {done.stderr}')

    def status(self):
        return control.status(self.socket)


class Node:
    """keyholed at a site, with a simulated radio."""

    def __init__(self, lab, host, number, registrar=None, *, family=4, known=True, start=True, **more):
        self.lab = lab
        self.host = host
        self.number = number
        self.dir = os.path.join(lab.dir, f'node-{number}')
        os.makedirs(self.dir, exist_ok=True)
        keyfile = os.path.join(self.dir, 'key')
        self.key = subprocess.run([KEYHOLE, 'keygen', keyfile], check=True, text=True,
                                  capture_output=True).stdout.strip()
        self.socket = os.path.join(self.dir, 'sock')
        self.tx_wav = os.path.join(self.dir, 'tx.wav')
        conf = {
            'node': {'number': number, 'key_file': keyfile},
            'radio': {'type': 'sim'},
            'sim': {'tx_wav': self.tx_wav},
            # What a busy machine holds up is no network's doing: without a reserve the
            # buffer stretches speech, and what arrives is no longer what was sent.
            'jitter': {'min_ms': 100},
            'control': {'socket': self.socket, 'group': 'root'},
            'log': {'level': 'debug'},
        }
        if registrar:
            where = registrar.host.addr4 if family == 4 else registrar.host.addr6
            conf['registrars'] = [{'host': where, 'port': registrar.port, 'key': registrar.key}]
        for group, values in more.items():
            if isinstance(values, dict):
                conf.setdefault(group, {}).update(values)
            else:
                conf[group] = values
        self.conf = write_conf(os.path.join(self.dir, 'node.conf'), conf)
        if registrar and known:
            registrar.add(number, self.key)
        self.process = None
        if start:
            self.start()

    def start(self):
        self.process = self.host.popen([KEYHOLED, '-c', self.conf])

    def stop(self, signal='TERM'):
        subprocess.run(['kill', f'-{signal}', str(self.process.pid)], check=False)
        self.process.wait(10)

    def console(self, *words, timeout=30):
        # The doctor looks at a machine of the node's own, which tells nothing unless a test has it so.
        return subprocess.run([KEYHOLE, '-s', self.socket, *words], text=True,
                              capture_output=True, check=False, timeout=timeout,
                              env={**os.environ, 'KEYHOLE_SYSROOT': os.path.join(self.dir, 'machine')})

    def machine(self, path, text):
        """A file of the machine that the doctor sees."""
        path = os.path.join(self.dir, 'machine', path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='ascii') as f:
            f.write(text + '\n')

    def doctor(self, *options, timeout=40):
        """(exit status, findings by id) of keyhole doctor."""
        done = self.console('--json', 'doctor', *options, timeout=timeout)
        answer, found = json.loads(done.stdout), {}
        for f in answer['findings']:
            if set(f) != {'id', 'state', 'seen', 'cause', 'mend'} or \
               f['state'] not in ('ok', 'skipped', 'warn', 'bad'):
                raise Failed(f'a finding: {f}')
            if f['state'] in ('warn', 'bad') and not (f['cause'] and f['mend']):
                raise Failed(f'no cause, or nothing to be done: {f}')
            found.setdefault(f['id'], []).append(f)
        well = all(f['state'] in ('ok', 'skipped') for f in answer['findings'])
        if (done.returncode, answer['ok']) != (0 if well else 1, well):
            raise Failed(f'exit {done.returncode}, ok {answer["ok"]}: {answer["findings"]}')
        return done.returncode, found

    def status(self):
        return control.status(self.socket)

    def is_registered(self):
        status = self.status()
        return bool(status) and any(r['state'] == 'registered' for r in status['registrars'])

    def wait_registered(self, timeout_s=10):
        wait_until(self.is_registered, timeout_s, f'node {self.number} to register')

    def links(self):
        return (self.status() or {}).get('links', [])

    def connect(self, node, wait_s=10):
        """The daemon's answer, or Failed with what the console said."""
        done = self.console('--json', 'connect', str(node), '--wait', str(wait_s))
        if done.returncode != 0:
            raise Failed(f'connect {self.number} -> {node}: exit {done.returncode}: '
                         f'{done.stderr.strip()}')
        return json.loads(done.stdout)

    def refused(self, node, wait_s=10):
        """(exit status, what the console said, seconds) of a connect that should fail."""
        began = time.monotonic()
        done = self.console('connect', str(node), '--wait', str(wait_s))
        return done.returncode, done.stderr.strip(), time.monotonic() - began

    def play(self, wav):
        done = self.console('sim', 'play', wav)
        if done.returncode:
            raise Failed(f'sim play: {done.stderr}')

    def ptt_edges(self):
        try:
            with open(self.tx_wav + '.ptt.json', encoding='ascii') as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []


def snr(sent, got):
    """wavsnr's figures: snr_db, lag_ms, gain_db."""
    done = subprocess.run([WAVSNR, sent, got, '--json'], text=True, capture_output=True, check=False)
    if not done.stdout.strip():
        raise Failed(f'wavsnr: {done.stderr.strip()}')
    return json.loads(done.stdout)


def speech(path, seconds=10, voice='en', text=None):
    """A speech recording of about so many seconds, 8 kHz, made with espeak-ng."""
    words = text or ('Keyhole calling. This is a test of the link between two nodes behind carrier '
                     'networks. One two three four five six seven eight nine ten. The quick brown fox '
                     'jumps over the lazy dog. Alpha bravo charlie delta echo foxtrot golf hotel india '
                     'juliett kilo lima mike november oscar papa quebec romeo sierra tango.')
    raw = path + '.raw.wav'
    subprocess.run(['espeak-ng', '-v', voice, '-s', '140', '-w', raw, words], check=True,
                   capture_output=True)
    subprocess.run(['sox', raw, '-r', '8000', '-c', '1', '-b', '16', path, 'gain', '-n', '-6',
                    'trim', '0', str(seconds)], check=True, capture_output=True)
    os.unlink(raw)
    return path
