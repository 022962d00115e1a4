# SPDX-License-Identifier: MIT
"""What the doctor tells of: each fault is made, seen in its line, mended as the line says, and gone.

NATs and routers are in test_lab_measure.py, COR that is stuck in test_lab_radio.py, fobs and mixers in the
virtual machine's suites.
"""

import json
import math
import os
import shlex
import shutil
import subprocess
import time

from dnsd import DOMAIN, Dns, missing_dns
from lab import Lab, wait_until
from pairs import SECRET, secret_file
from sound import RATE, write_wav
from stations import KEYHOLE, REGISTRAR, Node, Registrar, speech, with_second_address
from tap import Skip, equal, main, test, true

CPU = 'sys/devices/system/cpu/cpu0/cpufreq/'
THROTTLED = 'sys/devices/platform/soc/soc:firmware/get_throttled'
MIB = 1 << 20


def state(found, what):
    return [f['state'] for f in found.get(what, [])]


def bad(node, what, seen, level='bad', options=()):
    """The line of what is wrong; its mend."""
    status, found = node.doctor(*options)
    lines = [f for f in found.get(what, []) if f['state'] == level and seen in f['seen']]
    true(status == 1 and lines, f'no {level} {what} with {seen!r}: {found.get(what)} of {sorted(found)}')
    return lines[0]['mend']


def well(node, what):
    """No line on it is worse than ok."""
    _, found = node.doctor()
    lines = [f for f in found.get(what, []) if f['state'] in ('warn', 'bad')]
    true(what in found and not lines, f'{what} is not well: {lines}')


def all_is_well(node):
    status, found = node.doctor()
    equal(0, status, f'exit status of {found}')
    done = node.console('doctor')
    equal(0, done.returncode, 'exit status of the text')
    true(done.stdout.endswith('All is well.\n'), done.stdout)
    true(max(len(line) for line in done.stdout.splitlines()) <= 80, 'columns')


def rewrite(node, old, new):
    with open(node.conf, encoding='ascii') as f:
        text = f.read()
    true(old in text, f'{old} in the configuration')
    with open(node.conf, 'w', encoding='ascii') as f:
        f.write(text.replace(old, new))


def do(node, mend, **paths):
    """What the line says is to be typed, with the programs of this build."""
    for name, path in paths.items():
        mend = mend.replace(name, path)
    return node.host.run(shlex.split(mend))


# --- files and the machine ---------------------------------------------------


class Alone:
    """A node with a registrar and nothing wrong, and a small disk of its own."""

    def __enter__(self):
        self.lab = Lab(delay_ms=5)
        self.lab.__enter__()
        host = self.lab.host('registrar')
        self.registrar = Registrar(self.lab, host, **with_second_address(self.lab, host))
        self.disk = os.path.join(self.lab.dir, 'disk')
        os.makedirs(self.disk)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={24 * MIB}', 'none', self.disk], check=True)
        self.lab.stack.callback(subprocess.run, ['umount', '-l', self.disk], check=False)
        self.node = Node(self.lab, self.lab.host('home'), '2001', self.registrar,
                         sim={'tx_wav': os.path.join(self.disk, 'tx.wav')})
        self.node.wait_registered()
        return self.node

    def __exit__(self, kind, value, trace):
        self.lab.__exit__(kind, value, trace)


@test
def keys_configuration_disk_power_and_processor():
    with Alone() as node:
        all_is_well(node)

        key = os.path.join(node.dir, 'key')
        os.chmod(key, 0o644)
        do(node, bad(node, 'key', 'has mode 0644'))
        well(node, 'key')
        os.rename(key, key + '.away')
        true('keyhole keygen' in bad(node, 'key', 'No such file'), 'what makes another')
        os.rename(key + '.away', key)

        with open(node.conf, 'a', encoding='ascii') as f:
            f.write('bogus = 1;\n')
        lines = open(node.conf, encoding='ascii').read().count('\n')
        true('Mend that line' in bad(node, 'configuration', f'node.conf:{lines}: '), 'the mend')
        rewrite(node, 'bogus = 1;\n', '')
        well(node, 'configuration')

        filler = os.path.join(node.lab.dir, 'disk', 'filler')
        free = shutil.disk_usage(os.path.dirname(filler)).free
        subprocess.run(['fallocate', '-l', str(free - 100 * 1024), filler], check=True)
        true('Delete' in bad(node, 'disk', 'are left'), 'the mend')
        os.unlink(filler)
        well(node, 'disk')

        for path, value in (('scaling_cur_freq', '600000'), ('scaling_max_freq', '1500000'),
                            ('cpuinfo_max_freq', '1500000'), ('scaling_driver', 'cpufreq-dt'),
                            ('scaling_governor', 'powersave')):
            node.machine(CPU + path, value)
        true('-g schedutil' in bad(node, 'cpu', '600 of 1500 MHz', 'warn'), 'the mend')
        node.machine(CPU + 'scaling_governor', 'schedutil')
        well(node, 'cpu')

        node.machine(THROTTLED, '50005')
        true('supply' in bad(node, 'power', 'voltage is too low'), 'the mend')
        node.machine(THROTTLED, '50000')
        true('restart the machine' in bad(node, 'power', 'since the start', 'warn'), 'the mend')
        node.machine(THROTTLED, '0')
        well(node, 'power')
        all_is_well(node)


@test
def without_a_daemon_the_first_line_says_why():
    with Alone() as node:
        # As a user who is no member of the group, which root is not told from without its capabilities.
        os.chown(node.socket, 65534, 1)
        done = node.host.run(['setpriv', '--bounding-set', '-dac_override,-dac_read_search', KEYHOLE, '-s',
                              node.socket, '--json', 'doctor', '--config', node.conf], check=False)
        first = json.loads(done.stdout)['findings'][0]
        equal((1, 'daemon', 'bad'), (done.returncode, first['id'], first['state']), 'not permitted')
        true('group daemon' in first['cause'] and 'adduser YOU daemon' in first['mend'], first)
        os.chown(node.socket, 0, 0)
        well(node, 'daemon')

        node.stop()
        options = ('--config', node.conf)
        true('systemctl start keyholed' in bad(node, 'daemon', 'is not running', options=options), 'the mend')
        _, found = node.doctor(*options)
        equal(['ok'], state(found, 'configuration'), 'what is looked at without a daemon')
        equal(['ok'], state(found, 'key'), 'what is looked at without a daemon')

        with open(node.conf, 'a', encoding='ascii') as f:
            f.write('bogus = 1;\n')
        true('Mend the configuration' in bad(node, 'daemon', 'is not running', options=options), 'the mend')
        bad(node, 'configuration', 'bogus', options=options)
        text = node.console('doctor', *options)
        equal(1, text.returncode, 'exit status')
        true(text.stdout.startswith('bad      daemon: keyholed is not running'), text.stdout)
        rewrite(node, 'bogus = 1;\n', '')
        node.start()
        node.wait_registered()
        all_is_well(node)


# --- the way to the registrar ------------------------------------------------


class Sites:
    """Nodes that each have something else against them."""

    def __init__(self, lab):
        self.lab = lab
        host = lab.host('registrar')
        self.registrar = Registrar(lab, host, **with_second_address(lab, host))

    def entry(self, **more):
        return {'host': self.registrar.host.addr4, 'port': self.registrar.port, 'key': self.registrar.key,
                **more}

    def node(self, number, entry, known=True, start=True):
        node = Node(self.lab, self.lab.host(f'h{number}', ipv6=False), number, registrars=[entry], start=False)
        if known:
            self.registrar.add(number, node.key)
        if start:
            node.start()
        return node


def why(node):
    return ((node.status() or {}).get('registrars') or [{}])[0].get('why', '')


def wait_why(node, text):
    wait_until(lambda: text in why(node), 20, f'node {node.number}: {text}')


def restart(node):
    node.stop()
    node.start()
    node.wait_registered()


@test
def wrong_keys_and_passwords():
    with Lab(delay_ms=5) as lab:
        sites = Sites(lab)
        registrar = sites.registrar
        stranger = sites.node('2001', sites.entry(), known=False)
        pinned = sites.node('2002', sites.entry(key=stranger.key))
        secret = secret_file(lab, SECRET, 'right')
        equal(0, registrar.command('node', 'add', '2003', '--md5-secret', secret).returncode, 'node add')
        wrong = secret_file(lab, 'wrong', 'of-2003')
        plain = sites.node('2003', {'host': registrar.host.addr4, 'port': registrar.port,
                                    'secret_file': wrong}, known=False)

        wait_why(stranger, 'refuses')
        words = bad(stranger, 'registrar', 'it does not know this number').split(': ')[1]
        do(registrar, words, **{'keyhole-registrar': f'{REGISTRAR} -c {registrar.conf}'})

        wait_why(pinned, 'registrar key')
        true('Ask its operator for the key' in bad(pinned, 'registrar', 'not made with'), 'the mend')
        rewrite(pinned, stranger.key, registrar.key)

        wait_why(plain, 'refuses')
        true('password into secret_file' in bad(plain, 'registrar', 'refuses'), 'the mend')
        shutil.copy(secret, wrong)

        for node in (stranger, pinned, plain):
            restart(node)
            well(node, 'registrar')


@test
def names_ports_and_registrars_that_are_away():
    with Lab(delay_ms=5) as lab:
        sites = Sites(lab)
        dns = Dns(lab)
        name = f'registrar.{DOMAIN}'
        nameless = sites.node('2001', sites.entry(host=name), start=False)
        nameless.host.etc('resolv.conf', f'nameserver {dns.addr}\n')
        blocked = sites.node('2002', sites.entry(), start=False)
        blocked.host.run(['nft', '-f', '-'], text='table inet wall { chain out { type filter hook output priority 0; '
                                                  'udp dport 4569 drop; }; }')
        lonely = sites.node('2003', sites.entry(host='198.51.100.250'), start=False)
        cut = sites.node('2004', sites.entry(), start=False)
        dns.start()
        for node in (nameless, blocked, lonely, cut):
            node.start()
        cut.wait_registered()
        cut.host.ip([f'addr del {cut.host.addr4}/32 dev eth0'])

        wait_until(lambda: (nameless.doctor()[1].get('dns') or [{}])[0].get('state') == 'bad', 20, 'no address')
        true('name servers' in bad(nameless, 'dns', name), 'the mend')
        _, found = nameless.doctor()
        true('the line on dns' in found['registrar'][0]['mend'], found['registrar'])
        dns.address(name, sites.registrar.host.addr4)
        dns.again(*dns.lines)

        wait_why(blocked, 'does not answer')
        true('nft list ruleset' in bad(blocked, 'udp', 'by TCP, but not by UDP'), 'the mend')
        blocked.host.run(['nft', 'delete', 'table', 'inet', 'wall'])

        wait_why(lonely, 'does not answer')
        bad(lonely, 'udp', 'neither by UDP nor by TCP')
        rewrite(lonely, '198.51.100.250', sites.registrar.host.addr4)

        wait_until(lambda: 'no address' in json.dumps(cut.doctor()[1].get('udp', [])), 20, 'no network')
        true('ip address' in bad(cut, 'udp', 'this machine has no address'), 'the mend')
        cut.host.ip([f'addr add {cut.host.addr4}/32 dev eth0'])

        for node in (nameless, blocked, lonely):
            restart(node)
            for what in ('dns', 'registrar', 'udp'):
                well(node, what)


# --- what is heard -----------------------------------------------------------


def tone(node, dbfs):
    """A file of 1 kHz whose average is that."""
    peak = 32768 * math.sqrt(2) * 10 ** (dbfs / 20)
    return write_wav(os.path.join(node.dir, f'tone{dbfs}.wav'), [
        max(-32767, min(32767, round(peak * math.sin(2 * math.pi * 1000 * i / RATE)))) for i in range(3 * RATE)])


@test
def levels_and_jitter():
    if not shutil.which('espeak-ng'):
        raise Skip('needs espeak-ng')
    with Lab(delay_ms=100) as lab:
        sites = Sites(lab)
        a, b = (sites.node(number, sites.entry()) for number in ('2001', '2002'))
        a.wait_registered()
        b.wait_registered()
        for dbfs, seen in ((0, 'peaks of 0'), (-40, 'averages -40')):
            a.play(tone(a, dbfs))
            time.sleep(2)
            equal('keyhole levels --calibrate --receive', bad(a, 'levels', seen, 'warn'), 'the mend')
            wait_until(lambda: not a.status()['radio']['cor'], 5, 'its end')
        a.play(tone(a, -12))
        time.sleep(2)
        well(a, 'levels')

        wav = speech(os.path.join(lab.dir, 'speech.wav'), 6)
        a.connect('2002')
        # Packets of a pair stay in order: many come at once after each gap.
        lab.wan.delay(400, 390)
        a.play(wav)
        time.sleep(5)
        true('SQM' in bad(b, 'jitter', 'node 2001: jitter', 'warn'), 'the mend')
        wait_until(lambda: not a.status()['radio']['cor'], 5, 'its end')
        lab.wan.delay(100, 0)
        a.play(wav)
        time.sleep(5)
        well(b, 'jitter')


if __name__ == '__main__':
    main(missing_dns())
