# SPDX-License-Identifier: MIT
"""The wire format, proved by Wireshark's dissector: what it sees is what the
sender says it sent, and nothing is malformed."""

import collections
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time

import wire
from lab import Lab, LabError, missing, wait_until
from probe import full_frame, parse_full
from stations import KEYHOLE, REGISTRAR, Node, speech
from tap import Failed, equal, main, test, true
from topology import CARRIER, FIREWALL6, HOME, World

OURS = {0x68: 'OPEN_REQUEST', 0x69: 'OPEN', 0x6a: 'OVER', 0x6b: 'MEASURE'}
SECRETS = {0x07: 'PASSWORD', 0x10: 'MD5 RESULT', 0x11: 'RSA RESULT', 0x20: 'ED25519 RESULT',
           0x1d: 'PROVISIONING', 0x1e: 'AESPROVISIONING', 0x35: 'VARIABLE',
           0x2c: 'ENCKEY', 0x34: 'OSPTOKEN', 0x36: 'CALLTOKEN', 0xe1: 'KH TAG',
           0xe3: 'KH SIGNATURE', 0xe4: 'KH PATH', 0xe8: 'KH TOKEN'}
NEEDED = {'MD5 RESULT', 'ED25519 RESULT', 'CALLTOKEN', 'KH TAG', 'KH SIGNATURE', 'KH TOKEN'}
DRAIN_S = 0.2  # until what was sent has reached the wire, and the capture


class Trace:
    """A console that follows a daemon's datagrams."""

    def __init__(self, lab, host, program, *words):
        self.path = lab.new_log(f'{host.name}-trace')
        self.lab = lab
        self.to_stdout = words[-1] == '--json' or words[-1] == '--text'
        with open(self.path, 'wb') as out:
            self.proc = host.popen([*program, 'trace', *words], stdout=out)
        wait_until(self._is_on, 5, 'the trace to be on')

    def _is_on(self):
        if self.proc.poll() is not None:
            raise Failed(f'trace ended with {self.proc.returncode}: {self.said()}')
        return 'tracing' in self.said()

    def said(self):
        with open(self.proc.log, encoding='utf-8') as f:
            return f.read()

    def end(self, want=0):
        with contextlib.suppress(ProcessLookupError):
            self.proc.send_signal(signal.SIGINT)
        equal(want, self.proc.wait(5), f'exit status of {self.path}')
        if want == 0:
            true(' 0 more lost' in self.said(), self.said())

    def records(self):
        with open(self.path, encoding='ascii') as f:
            return [json.loads(line) for line in f]


def node_program(node):
    return [KEYHOLE, '-s', node.socket]


def secret_values(octets):
    """(element, value) of each secret in a datagram: a reader of its own."""
    if len(octets) < 12 or not octets[0] & 0x80 or octets[10] != wire.IAX:
        return
    for element, value in all_elements(octets[12:]):
        if element in SECRETS:
            yield element, value


def all_elements(body):
    while len(body) >= 2:
        yield body[0], body[2:2 + body[1]]
        body = body[2 + body[1]:]


class Stage:
    """A registrar and nodes of several kinds, each with a trace running."""

    def __init__(self, lab):
        self.lab = lab
        self.world = World(lab)
        self.pcap = os.path.join(lab.dir, 'wan.pcap')
        lab.wan.pcap(self.pcap)
        self.addresses, self.traces = {}, {}
        self._add_nodes()
        self._start()

    def _add_nodes(self):
        world, secret = self.world, os.path.join(self.lab.dir, 'secret')
        hut = os.path.join(self.lab.dir, 'hut')
        for path, text in ((secret, 'correct horse battery staple'), (hut, 'a secret of the hut')):
            with open(path, 'w', encoding='ascii', opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write(text + '\n')
        done = world.registrar.command('node', 'add', 'hut', '--md5-secret', hut)
        equal(0, done.returncode, done.stderr)
        self.a = world.behind('2001', CARRIER, HOME, start=False)
        self.b = world.behind('2002', CARRIER, HOME, start=False)
        self.c = world.behind('2003', FIREWALL6, family=6, start=False, iax2={'codecs': ['slin16']})
        self.d = world.behind('2004', FIREWALL6, family=6, start=False)
        # These two share a secret; 2006 has no key for 2005, so MD5 it is.
        site = self.lab.host('host2006')
        self.e = world.node('2005', self.lab.host('host2005'), start=False, peers=[
            {'number': '2006', 'host': site.addr4, 'secret_file': secret}])
        self.f = world.node('2006', site, start=False, accept={'deny': ['2001']},
                            peers=[{'number': '2005', 'secret_file': secret}])
        for node in world.nodes:
            outside = world.outside[node.number]
            # A firewall without NAT: the node's own address is seen.
            site = world.site[node.number]
            self.addresses[node] = {str(x) for s in (outside, site) for x in (s.addr4, s.addr6) if x}

    def _start(self):
        world = self.world
        registrar = world.registrar
        self.addresses[registrar] = {world.registrar_host.addr4, world.registrar_host.addr6}
        self.traces[registrar] = Trace(self.lab, world.registrar_host,
                                       [REGISTRAR, '-c', registrar.conf], '--json')
        # It hears nobody until all traces are on.
        registrar.process.send_signal(signal.SIGSTOP)
        for node in world.nodes:
            node.start()
        for node in world.nodes:
            wait_until(lambda n=node: n.status(), 5, 'a node to start')
            self.traces[node] = Trace(self.lab, node.host, node_program(node), '--json')
        self.own_pcap = os.path.join(self.lab.dir, 'own.pcap')
        self.own = Trace(self.lab, self.a.host, node_program(self.a), self.own_pcap)
        self.text = Trace(self.lab, self.f.host, node_program(self.f), '--text')
        self.began = self.silence()

    def silence(self):
        """Stop every sender until the wire is empty; the time in between."""
        running = [s.process for s in self.traces if s.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGSTOP)
        time.sleep(DRAIN_S)
        now = time.time_ns() // 1000
        for process in running:
            process.send_signal(signal.SIGCONT)
        return now

    def sent(self, station):
        """What a station says it sent, between the silences."""
        return [r for r in self.traces[station].records()
                if r['dir'] == 'out' and self.began <= r['wall_us'] < self.ended]

    def end(self):
        self.ended = self.silence()
        for station, trace in self.traces.items():
            # What goes away takes its console along.
            trace.end(want=0 if station.process.poll() is None else 3)
        self.own.end()
        self.text.end()
        self.lab.wan.pcap('off')
        self.seen = [s for s in wire.decode(self.pcap) if self.began <= s.time_us < self.ended]


def register_plain(stage):
    """A plain client registers with MD5, as any IAX2 device does."""
    with contextlib.closing(stage.world.stranger.socket()) as sock:
        sock.settimeout(3)
        sock.connect((stage.world.registrar_host.addr4, 4569))

        def ask(step, dst, *elements):
            body = [(0x06, b'hut'), (0x13, b'\0\x3c'), *elements]
            sock.send(full_frame(wire.REGREQ, body, 77, dst, ts_ms=step,
                                 oseq=1 if dst else 0, iseq=1 if dst else 0))
            return parse_full(sock.recv(2000))

        def value(frame, element):
            return next(v for e, v in all_elements(frame.body) if e == element)

        token = (0x36, value(ask(1, 0, (0x36, b'')), 0x36))
        auth = ask(2, 0, token)
        digest = hashlib.md5(value(auth, 0x0f) + b'a secret of the hut').hexdigest()
        done = ask(3, auth.src_call, token, (0x10, digest.encode()))
        equal(wire.REGACK, done.subclass, 'the answer to a plain client')


def hang_up(caller, number, target):
    caller.console('disconnect', number)
    wait_until(lambda: not target.links(), 3, 'the link to end')


def talk(lab, talker, listener):
    before = len(listener.ptt_edges())
    talker.play(speech(os.path.join(lab.dir, f'{talker.number}.wav'), 1))
    wait_until(lambda: len(listener.ptt_edges()) >= before + 2, 8, 'speech to pass')


def play_all(stage):
    """Everything that nodes say to one another."""
    lab, a, b = stage.lab, stage.a, stage.b
    stage.world.up()
    register_plain(stage)
    equal('opened', a.connect('2002')['path'], 'path')
    talk(lab, a, b)
    a.console('dtmf', '*3')  # on its way while b talks
    talk(lab, b, a)
    hang_up(a, '2002', b)
    equal('ipv6', stage.c.connect('2004')['family'], 'family')
    talk(lab, stage.c, stage.d)
    hang_up(stage.c, '2004', stage.d)
    equal('direct', stage.e.connect('2006')['path'], 'path')
    talk(lab, stage.e, stage.f)
    hang_up(stage.e, '2006', stage.f)
    # Refused by the registrar, by the target's rules, and as a plain call.
    for number in ('2777', '2006', f'2006@{stage.f.host.addr4}:4569'):
        equal(1, a.refused(number)[0], f'exit status for {number}')
    time.sleep(1.1)  # a ping of the call machine, an ACK that is late
    b.stop()


def compare(stage):
    """Frame by frame: what each station said it sent, and what passed."""
    for station, addresses in stage.addresses.items():
        said = stage.sent(station)
        name = getattr(station, 'number', 'registrar')
        true(said, f'{name} said nothing')
        got = collections.Counter(s.frame for s in stage.seen if s.src in addresses)
        want = collections.Counter(wire.traced(r) for r in said)
        # An opener's hops are few on purpose: it may not get this far.
        openers = collections.Counter(wire.traced(r) for r in said if r['ttl'])
        if got - want:
            raise Failed(f'{name}: on the wire but not in the trace: {list((got - want).items())[:3]}')
        if want - got - openers:
            raise Failed(f'{name}: in the trace but not on the wire: '
                         f'{list((want - got - openers).items())[:3]}')
        print(f'# {name}: {sum(got.values())} frames, {len(got)} kinds')


def covered(stage):
    """The comparison is worth what it compared."""
    full = [s.frame for s in stage.seen if s.frame.kind == 'full']
    iax = {f.subclass for f in full if f.type == wire.IAX}
    want = {1: 'NEW', 3: 'PONG', 4: 'ACK', 5: 'HANGUP', 6: 'REJECT', 7: 'ACCEPT', 8: 'AUTHREQ',
            9: 'AUTHREP', 13: 'REGREQ', 14: 'REGAUTH', 15: 'REGACK', 17: 'REGREL', 30: 'POKE',
            40: 'CALLTOKEN', **OURS}
    equal([], [name for number, name in want.items() if number not in iax], 'IAX frames not seen')
    equal([], [t for t in (1, 2, 4, 6, 12) if t not in {f.type for f in full}], 'types not seen')
    equal({0x04, 0x8f}, {f.subclass for f in full if f.type == wire.VOICE},
          'voice: u-law, and a format whose subclass is a power of two')
    true(sum(s.frame.kind == 'mini' for s in stage.seen) > 100, 'speech')
    true(any(':' in s.src for s in stage.seen), 'IPv6')
    values = [v for s in stage.seen for v in secret_values(s.octets)]
    equal(set(), NEEDED - {SECRETS[e] for e, value in values if value}, 'secrets not seen')


def secrets_stay(stage):
    """Zeros where the secrets are, and no secret of the wire anywhere."""
    mine = wire.decode(stage.own_pcap)
    equal((), tuple(f for s in mine for f in s.faults), "faults in the console's capture")
    true(any(s.frame.subclass == 0x6a for s in mine), "an OVER in the console's capture")
    for seen in mine:
        for element, value in secret_values(seen.octets):
            equal(bytes(len(value)), value, f'{SECRETS[element]} in the capture')
    said = b''.join(open(t.path, 'rb').read() for t in (*stage.traces.values(), stage.text))
    with open(stage.own_pcap, 'rb') as f:
        capture = f.read()
    hidden = {value for s in stage.seen for _, value in secret_values(s.octets) if len(value) >= 8}
    for value in hidden:
        true(value not in capture and value not in said and value.hex().encode() not in said,
             f'{value.hex()} of the wire is in a trace')
    print(f'# {len(hidden)} secrets, none shown')


def capture_is_the_same(stage):
    """The console's capture holds what the wire carried, secrets apart."""
    sent = stage.addresses[stage.a]
    mine = [s for s in wire.decode(stage.own_pcap)
            if s.src in sent and stage.began <= s.time_us < stage.ended]
    equal(collections.Counter(wire.traced(r) for r in stage.sent(stage.a)),
          collections.Counter(s.frame for s in mine), "the console's capture and its JSON")


@test
def the_dissector_sees_what_the_senders_say():
    with Lab(delay_ms=15, garbage=True) as lab:
        stage = Stage(lab)
        play_all(stage)
        stage.end()
        equal((), tuple(f for s in stage.seen for f in s.faults), 'faults')
        covered(stage)
        compare(stage)
        capture_is_the_same(stage)
        secrets_stay(stage)


MALFORMED = {
    'an element longer than the frame': bytes([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1, 6, 9, 50]),
    'a header cut short': bytes([0x80, 1, 0, 0, 0, 0, 0, 0, 0]),
    'a number of another length': bytes([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1, 0x0b, 3, 0, 0, 2]),
}


@test
def what_is_malformed_fails_the_lab_it_crossed():
    os.environ['KEYHOLE_LAB_WIRE'] = '1'
    for what, octets in MALFORMED.items():
        try:
            with Lab(delay_ms=1) as lab:
                site, other = lab.host('site'), lab.host('other')
                there, here = other.socket(4569), site.socket()
                here.sendto(octets, (other.addr4, 4569))
                equal(octets, there.recv(100), what)
        except LabError as why:
            true('on the wire: frame 1' in str(why), f'{what}: {why}')
        else:
            raise Failed(f'{what}: nothing was found')


@test
def a_reader_that_stands_still_loses_records_and_the_daemon_nothing():
    with Lab(delay_ms=5) as lab:
        world = World(lab)
        a, b = world.public('2001'), world.public('2002')
        world.up()
        a.connect('2002')
        out = lab.new_log('standing')
        with open(out, 'wb') as f:
            slow = subprocess.Popen([*node_program(b), 'trace', '--json'], stdout=f,
                                    stderr=subprocess.PIPE, text=True)
        true('tracing' in slow.stderr.readline(), 'the trace to be on')
        slow.send_signal(signal.SIGSTOP)
        # More than socket and daemon hold for one that does not read.
        flood(world.stranger, b.host.addr4, 2500)
        true(b.links(), 'the link to stand')
        slow.send_signal(signal.SIGCONT)
        wait_until(lambda: os.path.getsize(out) > 0, 5, 'the reader to go on')
        # The next record after the loss says how many there were.
        wait_until(lambda: poke_and_count(world.stranger, b, out), 5, 'the loss to be told')
        slow.send_signal(signal.SIGINT)
        equal(0, slow.wait(5), 'exit status')


def poke(pads=4):
    return bytes([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0x1e]) + pads * (b'\xee\xff' + bytes(255))


def flood(site, addr, count):
    with contextlib.closing(site.socket()) as sock:
        for i in range(count):
            sock.sendto(poke(), (addr, 4569))
            if i % 25 == 24:  # slowly enough to be told of
                time.sleep(0.0125)


def poke_and_count(site, node, path):
    with contextlib.closing(site.socket()) as sock:
        sock.sendto(poke(1), (node.host.addr4, 4569))
    with open(path, encoding='ascii') as f:
        return any(json.loads(line)['dropped'] > 0 for line in f if line.endswith('\n'))


@test
def a_trace_says_why_it_cannot_be():
    with Lab(delay_ms=5) as lab:
        node = Node(lab, lab.host('host'), '2001')
        wait_until(node.status, 5, 'the node to start')
        for words, code, said in (
                (('trace',), 2, 'usage'), (('trace', '--text', 'x.pcap'), 2, 'usage'),
                (('trace', '-', '--seconds', '0'), 2, 'usage'),
                (('trace', '/no/where/x.pcap'), 1, 'No such file'),
                (('trace', '/dev/full', '--seconds', '9'), 1, 'No space left')):
            done = node.console(*words)
            equal(code, done.returncode, f'exit status of {words}')
            true(said in done.stderr, f'{words}: {done.stderr}')
        began = time.monotonic()
        equal(0, node.console('trace', os.path.join(lab.dir, 'x.pcap'), '--seconds', '1').returncode,
              'exit status')
        true(time.monotonic() - began < 3, 'it ends by itself')
        equal([], wire.decode(os.path.join(lab.dir, 'x.pcap')), 'an empty capture is whole')
        gone = Trace(lab, node.host, node_program(node), '--text')
        node.stop()
        equal(3, gone.proc.wait(5), 'exit status when the daemon goes away')


if __name__ == '__main__':
    main(missing() or (None if wire.tshark() else 'needs tshark'))
