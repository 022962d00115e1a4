# SPDX-License-Identifier: MIT
"""The registrar's relay: plain callers reach a node behind a carrier's NAT,
networks without any way to each other get one, and nobody can abuse it."""

import json
import os
import socket
import struct
import time

import iax2
from asterisk import Asterisk
from lab import Lab, missing, plain_new, wait_until
from pairs import SECRET, Events, secret_file
from sound import frames, read_wav, sweep, write_heard, write_wav
from stations import snr
from tap import between, equal, long_test, main, test, true, within
from topology import FIREWALL6, HOME, World

DOUBLE = ({'nat': 'preserving', 'firewall': 'drop', 'lan': 'carrier'}, HOME)
SYMMETRIC = ({'nat': 'symmetric-random'},)
CLEAN_DB = 30
FIRST, LAST = 20000, 20999
RELAY_SUBCLASS = 0x6c


def relay(world):
    return world.registrar.status()['relay']


def dropped(world, reason):
    return relay(world)['dropped'][reason]


def relayed_at(node, family=4):
    """The node's address and port at the relay, when it has one."""
    there = wait_until(lambda: (node.status() or {'reach': {}})['reach'].get('relayed'), 5,
                       f'node {node.number} to have an address at the relay')
    host, port = there[f'address{family}'].rsplit(':', 1)
    return host.strip('[]'), int(port)


class Behind:
    """A node behind two NATs with an address at the relay, and a scripted peer."""

    def __init__(self, use='always', garbage=False):
        self.lab = Lab(delay_ms=10, garbage=garbage)
        self.use = use

    def __enter__(self):
        self.lab.__enter__()
        self.world = World(self.lab, relay={'enabled': True})
        self.pbx = self.lab.stack.enter_context(
            Asterisk(self.lab.host('pbx'), '1999', secret=SECRET))
        self.node = self.world.behind(
            '2001', *DOUBLE, relay={'use': self.use}, jitter={'min_ms': 200},
            peers=[{'number': '1999', 'host': self.pbx.addr,
                    'secret_file': secret_file(self.lab)}])
        self.world.up()
        self.wav = sweep(os.path.join(self.lab.dir, 'sweep.wav'))
        return self

    def __exit__(self, kind, value, trace):
        self.lab.__exit__(kind, value, trace)

    def link(self):
        links = wait_until(lambda: [x for x in self.node.links() if x['state'] == 'up'], 5,
                           'a link to be up')
        equal(1, len(links), 'links')
        return links[0]

    def speak_both_ways(self, call):
        """Each hears the other once, as good as it was."""
        begin, unkeys = len(call.heard), call.count(iax2.CONTROL, iax2.C_UNKEY)
        self.node.play(self.wav)
        before, at = len(self.node.ptt_edges()), len(read_wav(self.node.tx_wav))
        call.talk(frames(self.wav, 'ulaw'))
        wait_until(lambda: len(self.node.ptt_edges()) >= before + 2, 10, 'a transmission')
        got = write_wav(os.path.join(self.lab.dir, 'transmitted.wav'), read_wav(self.node.tx_wav)[at:])
        between(CLEAN_DB, snr(self.wav, got)['snr_db'], 200, 'what the node transmits, dB')
        call.wait('the end of what it hears',
                  lambda: call.count(iax2.CONTROL, iax2.C_UNKEY) > unkeys, 10)
        heard = write_heard(os.path.join(self.lab.dir, 'heard.wav'), call.heard, begin)
        between(CLEAN_DB, snr(self.wav, heard)['snr_db'], 200, 'what the peer hears, dB')


# --- what it is for ---------------------------------------------------------

@test
def a_plain_caller_reaches_a_node_behind_a_carriers_nat():
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        equal(scene.world.registrar_host.addr4, host, 'the relay')
        within(FIRST, port, LAST, 'its port')
        # By its own address nobody gets through.
        scene.world.strangers_get_nothing(scene.node)
        call = scene.pbx.dial(host, '2001', port=port).wait_state('up')
        equal('relayed', scene.link()['path'], 'path')
        scene.speak_both_ways(call)
        equal({host}, {addr[0] for _, _, addr in scene.pbx.got}, 'where all of it comes from')
        true(scene.pbx.poke(host, port) < 1, 'a POKE')
        equal((1, 1), (relay(scene.world)['allocations'], relay(scene.world)['peers']), 'use')


@test
def a_call_to_a_plain_node_leaves_from_the_relay():
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        scene.node.connect('1999')
        call = scene.pbx.wait_call().wait_state('up')
        equal((host, port), call.addr, 'where the call comes from')
        equal('relayed', scene.link()['path'], 'path')
        scene.speak_both_ways(call)


@test
def not_unless_it_is_wanted_always():
    with Behind(use='last') as scene:
        scene.node.connect('1999')
        call = scene.pbx.wait_call().wait_state('up')
        true(call.addr[0] != scene.world.registrar_host.addr4, f'it comes from {call.addr}')
        equal('direct', scene.link()['path'], 'path')
        equal(0, relay(scene.world)['allocations'], 'allocations')


@test
def a_plain_registration_leaves_from_the_relay():
    """Who compares a caller's address with the registered one finds the same."""
    with Lab(delay_ms=10) as lab:
        world = World(lab, relay={'enabled': True})
        pbx = lab.stack.enter_context(Asterisk(lab.host('pbx'), '1999', secret=SECRET))
        pbx.clients['2001'] = SECRET
        secret = secret_file(lab)
        node = world.behind('2001', *DOUBLE, relay={'use': 'always'},
                            peers=[{'number': '1999', 'host': pbx.addr, 'secret_file': secret}],
                            registrars=[{'host': world.registrar_host.addr4, 'key': world.registrar.key},
                                        {'host': pbx.addr, 'secret_file': secret}])
        at = relayed_at(node)
        wait_until(lambda: pbx.registered.get('2001') == at, 5, 'the relay to be registered')
        node.connect('1999')
        equal(at, pbx.wait_call().wait_state('up').addr, 'where the call comes from')
        equal(0, node.console('disconnect', '1999').returncode, 'disconnect')
        wait_until(lambda: not node.links(), 3, 'the link to end')
        pbx.dial(at[0], '2001', port=at[1]).wait_state('up')
        node.stop()
        equal({}, pbx.registered, 'registered after the end')
        wait_until(lambda: relay(world)['allocations'] == 0, 1, 'the address to be given back')


def meets(caller, target, want='relayed', most_s=6):
    """Node 2001 dials 2002; each adds itself to the world."""
    with Lab(delay_ms=25, log_packets=False) as lab:
        world = World(lab, relay={'enabled': True})
        one = caller(world, '2001')
        other = target(world, '2002')
        world.up()
        began = time.monotonic()
        got = one.connect('2002', wait_s=15)
        taken_s = time.monotonic() - began
        equal(want, got['path'], 'path')
        wait_until(lambda: any(x['state'] == 'up' for x in other.links()), 3, 'the link at the target')
        wav = sweep(os.path.join(lab.dir, 'sweep.wav'), seconds=2.0)
        for speaker, hearer in ((one, other), (other, one)):
            at = len(read_wav(hearer.tx_wav))
            before = len(hearer.ptt_edges())
            speaker.play(wav)
            wait_until(lambda h=hearer, n=before: len(h.ptt_edges()) >= n + 2, 10, 'a transmission')
            heard = write_wav(os.path.join(lab.dir, f'{hearer.number}.wav'), read_wav(hearer.tx_wav)[at:])
            between(CLEAN_DB, snr(wav, heard)['snr_db'], 200, f'what {hearer.number} hears, dB')
        between(0, taken_s, most_s, 'seconds')
        print(f'# {taken_s * 1000:.0f} ms, {got["dial_rtts"]:.1f} round trips')


def only4(use):
    def add(world, number):
        return world.node(number, world.lab.host(f'host{number}', ipv6=False), relay={'use': use})
    return add


def only6(use):
    def add(world, number):
        return world.behind(number, dict(FIREWALL6), family=6, relay={'use': use})
    return add


def behind(*routers, use='last'):
    def add(world, number):
        return world.behind(number, *routers, relay={'use': use})
    return add


@test
def ipv6_only_meets_ipv4_only():
    meets(only6('last'), only4('last'))


@test
def ipv4_only_meets_ipv6_only():
    meets(only4('last'), only6('last'))


@test
def one_relay_is_enough_whosever_it_is():
    meets(only6('never'), only4('always'))
    meets(only6('last'), only4('never'))


@test
def symmetric_meets_symmetric():
    meets(behind(*SYMMETRIC), behind(*SYMMETRIC))


@test
def a_direct_path_is_preferred():
    meets(behind(*DOUBLE, use='always'), behind(*DOUBLE, use='always'), want='opened')


def leaves_the_relay(talker):
    """A call that begins at once, and finds its own way while somebody speaks."""
    # So near that the buffer sees no reason to give back the relay's delay while it plays.
    with Lab(delay_ms=10, log_packets=False) as lab:
        world = World(lab, relay={'enabled': True})
        one, other = (world.behind(number, {'nat': 'symmetric-sequential'}, relay={'use': 'last'},
                                   jitter={'min_ms': 200}) for number in ('2001', '2002'))
        world.up()
        events = [Events(node) for node in (one, other)]
        speaker, hearer = (one, other) if talker == '2001' else (other, one)
        wav = sweep(os.path.join(lab.dir, 'sweep.wav'), seconds=8.0)
        before = len(hearer.ptt_edges())
        got = one.connect('2002', wait_s=15)
        equal('relayed', got['path'], 'path at first')
        wait_until(lambda: any(x['state'] == 'up' for x in other.links()), 3, 'the link at the target')
        speaker.play(wav)
        moved = [e.wait('link_moved', timeout_s=7)[0] for e in events]
        equal([['predicted']] * 2, [[x['path'] for x in node.links()] for node in (one, other)], 'path then')
        true(all(e['old'] != e['peer'] and e['path'] == 'predicted' for e in moved), f'another path: {moved}')
        wait_until(lambda: len(hearer.ptt_edges()) >= before + 2, 15, 'a transmission')
        heard_db = snr(wav, hearer.tx_wav)['snr_db']
        print(f'# {heard_db:.1f} dB', flush=True)
        between(CLEAN_DB, heard_db, 200, 'what is heard, dB')
        for node in (one, other):
            equal(['predicted'], [x['path'] for x in node.links()], 'path at last')
        equal([0, 0], [len(e.of('link_down')) for e in events], 'links that ended')
        carried = relay(world)['tx'] + relay(world)['rx']
        time.sleep(0.5)  # in which a call through the relay sends something
        equal(carried, relay(world)['tx'] + relay(world)['rx'], 'carried afterwards')


@test
def a_call_leaves_the_relay_while_the_caller_speaks():
    leaves_the_relay('2001')


@test
def a_call_leaves_the_relay_while_the_called_one_speaks():
    leaves_the_relay('2002')


# --- what it is not for -----------------------------------------------------

def frame(subclass, src=9, dst=0, body=b''):
    return iax2.full(src, dst, 3, 0, 0, iax2.IAX, subclass, body)


@test
def a_registrar_without_a_relay_says_no():
    with Lab(delay_ms=10) as lab:
        world = World(lab)
        node = world.behind('2001', *DOUBLE, relay={'use': 'always'})
        world.up()
        equal({'enabled': False}, relay(world), 'relay')
        time.sleep(0.5)  # long enough for an answer
        equal(None, node.status()['reach']['relayed'], 'relayed')


@test
def strangers_get_no_further_than_the_beginning_of_a_call():
    with Behind(garbage=True) as scene:
        host, port = relayed_at(scene.node)
        stranger = scene.world.stranger.socket(4570, 4)
        before = relay(scene.world)['rx']
        noise = [b'\0' * 4, b'OPTIONS sip:100 SIP/2.0\r\n\r\n', b'\x00\x09\x00\x14' + b'\x7f' * 160,
                 frame(iax2.HANGUP, dst=77), frame(iax2.NEW, body=b'\x01\xff'), b'\xff' * 1300]
        for data in noise:
            stranger.sendto(data, (host, port))
        wait_until(lambda: dropped(scene.world, 'strange') == len(noise), 3, 'all of it to be dropped')
        equal(before, relay(scene.world)['rx'], 'carried to the node')
        # At a port that is nobody's there is nothing at all.
        true(plain_new(scene.world.stranger, host, LAST if port != LAST else FIRST) in (None, 'icmp'),
             'an answer of a port that is not given away')


@test
def a_flood_of_strangers_is_thinned_and_the_call_goes_on():
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        call = scene.pbx.dial(host, '2001', port=port).wait_state('up')
        stranger = scene.world.stranger.socket(4570, 4)
        before = relay(scene.world)['rx']
        began = time.monotonic()
        for _ in range(5):
            for _ in range(400):
                stranger.sendto(frame(iax2.POKE), (host, port))
            time.sleep(0.02)  # the pace of a flood
        wait_until(lambda: dropped(scene.world, 'too_many_strangers') > 1500, 3, 'the flood to be thinned')
        carried = relay(scene.world)['rx'] - before
        true(carried < 40 + 25 * (time.monotonic() - began) + 50, f'{carried} were carried')
        scene.speak_both_ways(call)


@test
def nothing_comes_of_a_forged_sender():
    """What the node answers to an address that did not prove itself is never more than it sent."""
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        stranger = scene.world.stranger.socket(4570, 4)
        sent = 0
        new = frame(iax2.NEW, body=iax2.ies((iax2.IE_VERSION, iax2.u16(2)), (iax2.IE_CALLED_NUMBER, '2001'),
                                            (iax2.IE_CALLTOKEN, b'')))
        for _ in range(20):
            stranger.sendto(new, (host, port))
            sent += len(new)
        stranger.settimeout(1)
        got = 0
        try:
            while True:
                got += len(stranger.recv(2048))
        except TimeoutError:
            pass
        true(got <= sent, f'{got} octets for {sent}')


def relay_frames(capture, src):
    """What a site sent in RELAY frames, from a capture of raw IPv4."""
    with open(capture, 'rb') as f:
        data, at = f.read(), 24
    frames = []
    while at + 16 <= len(data):
        size = struct.unpack('<I', data[at + 8:at + 12])[0]
        packet, at = data[at + 16:at + 16 + size], at + 16 + size
        udp = packet[28:]
        if (packet[:1] == b'\x45' and packet[9] == 17 and len(udp) > 12 and udp[11] == RELAY_SUBCLASS
                and packet[12:16] == socket.inet_aton(src)):
            frames.append(udp)
    return frames


@test
def neither_repeated_nor_changed_frames_move_anything():
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        capture = os.path.join(scene.lab.dir, 'relayed.pcap')
        scene.lab.wan.pcap(capture)
        scene.pbx.dial(host, '2001', port=port).wait_state('up')
        scene.lab.wan.pcap()
        frames = relay_frames(capture, scene.world.outermost.addr4)
        true(len(frames) >= 3, f'{len(frames)} frames of the node')
        before = relay(scene.world)
        counters = scene.world.registrar.status()['counters']
        thief = scene.world.stranger.socket(4570, 4)
        for data in frames:
            thief.sendto(data, (host, 4569))
            thief.sendto(data[:40] + bytes([data[40] ^ 1]) + data[41:], (host, 4569))

        def new(counter):
            return scene.world.registrar.status()['counters'][counter] - counters[counter]
        wait_until(lambda: new('replayed') >= len(frames) and new('forged') >= len(frames), 3,
                   'all of them to be refused')
        equal(before['allocations'], relay(scene.world)['allocations'], 'allocations')
        equal(0, sum(addr[0] == scene.world.stranger.addr4 for _, _, addr in scene.pbx.got), 'seen')


@test
def a_node_that_is_removed_is_cut_off_at_once():
    with Behind() as scene:
        host, port = relayed_at(scene.node)
        scene.pbx.dial(host, '2001', port=port).wait_state('up')
        registrar = scene.world.registrar
        told = registrar.command('status', '--json')
        equal((0, 1), (told.returncode, json.loads(told.stdout)['relay']['allocations']), 'by its command')
        equal(0, registrar.command('node', 'remove', '2001').returncode, 'node remove')
        wait_until(lambda: relay(scene.world)['allocations'] == 0, 2, 'the address to be gone')
        wait_until(lambda: plain_new(scene.world.stranger, host, port, timeout_s=0.5) != 0x28, 3,
                   'nobody to answer there')


@long_test
def an_address_survives_both_daemons():
    with Behind() as scene:
        at = relayed_at(scene.node)
        scene.node.stop()
        wait_until(lambda: relay(scene.world)['allocations'] == 0, 3, 'the address to be given back')
        scene.node.start()
        scene.node.wait_registered()
        equal(at, relayed_at(scene.node), "the node's address after its restart")
        scene.world.registrar.process.terminate()
        scene.world.registrar.process.wait(10)
        scene.world.registrar.start()
        wait_until(lambda: relay(scene.world)['allocations'] == 1, 90, 'the node to be back')
        equal(at, relayed_at(scene.node), "the node's address after the registrar's restart")
        call = scene.pbx.dial(at[0], '2001', port=at[1]).wait_state('up')
        scene.speak_both_ways(call)


if __name__ == '__main__':
    main(missing())
