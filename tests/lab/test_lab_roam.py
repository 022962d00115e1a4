# SPDX-License-Identifier: MIT
"""Addresses that change in the middle of a call: it goes on, and so does the
speech, after at most three seconds.  A plain peer is dialled again."""

import math
import os
import time

from asterisk import Asterisk
from lab import Lab, missing, wait_until
from pairs import SECRET, Events, secret_file
from sound import RATE, read_wav, write_wav
from stations import Node
from tap import between, equal, main, test, true
from topology import CARRIER, HOME, World

STEP_S = 0.25
LOW_HZ, STEP_HZ = 400, 30
SECONDS = 18
CHANGE_AT_S = 5
GAP_S = 3.0


def stairs(path, seconds=SECONDS):
    """Tones that rise by steps: each tells which of them it is."""
    size, phase, out = int(STEP_S * RATE), 0.0, []
    for k in range(int(seconds / STEP_S)):
        turn = 2 * math.pi * (LOW_HZ + k * STEP_HZ) / RATE
        for _ in range(size):
            out.append(int(8000 * math.sin(phase)))
            phase += turn
    return write_wav(path, out)


def pitch(samples):
    """The frequency of a pure tone, by its zero crossings; None for others."""
    at = [i + samples[i] / (samples[i] - samples[i + 1]) for i in range(len(samples) - 1)
          if samples[i] <= 0 < samples[i + 1]]
    if max(samples, default=0) < 4000 or len(at) < 3:
        return None
    return (len(at) - 1) * RATE / (at[-1] - at[0])


def longest_gap(path, seconds=SECONDS):
    """Seconds of the stairs that are missing in a recording, at most in a row."""
    samples, window = read_wav(path), int(0.05 * RATE)
    heard = set()
    for at in range(0, len(samples) - window, window):
        hz = pitch(samples[at:at + window])
        step = (hz - LOW_HZ) / STEP_HZ if hz else -1
        if step > -0.3 and abs(step - round(step)) < 0.3:
            heard.add(round(step))
    longest = missed = 0
    for k in range(int(seconds / STEP_S)):
        missed = 0 if k in heard else missed + 1
        longest = max(longest, missed)
    return longest * STEP_S


def plug(host, router, name='eth1', slowly_s=0):
    """A second uplink of a host, into another router; the one it had is gone,
    slowly_s after the new address came."""
    class Port:
        ns, uplink, upstream = host.ns, name, router
    router.attach(Port)
    bits, gateway = router.link4()
    addr = router.assign4(Port)
    host.ip([f'link set {name} up', f'addr add {addr}/{bits} dev {name}'])
    time.sleep(slowly_s)
    host.ip([f'link set {host.uplink} down',
             f'route replace default via {gateway} dev {name}'])


class Call:
    """Two nodes in a call, and one of them speaking."""

    def __init__(self, lab, first=(CARRIER,), second=(CARRIER, HOME)):
        self.lab = lab
        self.world = World(lab)
        self.a = self.world.behind('2001', *first)
        self.b = self.world.behind('2002', *second)
        self.world.up()
        self.events = Events(self.b)
        self.a.connect('2002')
        wait_until(lambda: self.b.links(), 3, 'the link at the other end')
        self.wav = stairs(os.path.join(lab.dir, 'stairs.wav'))

    def speak(self, talker, listener, change):
        """Seconds of speech that were lost where change() fell into it."""
        before = [node.links()[0]['connected_s'] for node in (talker, listener)]
        talker.play(self.wav)
        time.sleep(CHANGE_AT_S)
        change()
        time.sleep(SECONDS - CHANGE_AT_S + 1)
        for node, was in zip((talker, listener), before):
            links = node.links()
            equal(1, len(links), 'links')
            true(links[0]['connected_s'] >= was + SECONDS, f'the same call: {links}')
        gap = longest_gap(listener.tx_wav)
        print(f'# gap {gap} s', flush=True)
        between(0, gap, GAP_S, 'a gap, s')
        return gap


def carrier_renumbers(numbers, talker):
    with Lab(delay_ms=25) as lab:
        call = Call(lab)
        carriers = [call.world.outside[number] for number in numbers]

        def change():
            for carrier in carriers:
                carrier.change_address()
        nodes = (call.a, call.b) if talker == '2001' else (call.b, call.a)
        call.speak(*nodes, change)
        if numbers == ['2001']:
            moved = call.events.wait('link_moved')[0]
            true(carriers[0].addr4 in moved['peer'], f'the new address: {moved}')
            true(moved['old'] != moved['peer'], f'and the old one: {moved}')


def add_carrier_tests():
    for name, numbers in (('callers', ['2001']), ('called_ones', ['2002']),
                          ('both', ['2001', '2002'])):
        for talker in ('2001', '2002'):
            def scenario(numbers=numbers, talker=talker):
                carrier_renumbers(numbers, talker)
            who = 'caller' if talker == '2001' else 'called'
            scenario.__name__ = f'{name}_carrier_renumbers_while_the_{who}_speaks'
            test(scenario)


add_carrier_tests()


def host_goes_elsewhere(number, slowly_s=0):
    with Lab(delay_ms=25) as lab:
        call = Call(lab)
        node = call.a if number == '2001' else call.b
        other = lab.router('elsewhere', nat='preserving', firewall='drop')
        call.speak(call.a, call.b, lambda: plug(node.host, other, slowly_s=slowly_s))
        true(node.is_registered(), 'registered')


@test
def caller_goes_to_another_network():
    host_goes_elsewhere('2001')


@test
def called_one_goes_to_another_network():
    host_goes_elsewhere('2002')


@test
def what_was_agreed_on_the_network_that_goes_is_void():
    # Longer than the first round trip of a move, shorter than both.
    host_goes_elsewhere('2002', slowly_s=0.07)


@test
def both_go_to_other_networks():
    with Lab(delay_ms=25) as lab:
        call = Call(lab)
        routers = [lab.router(f'elsewhere{i}', nat='preserving', firewall='drop') for i in (1, 2)]

        def change():
            for node, router in zip((call.a, call.b), routers):
                plug(node.host, router)
        call.speak(call.a, call.b, change)


@test
def a_plain_peer_is_dialled_again():
    with Lab(delay_ms=10) as lab:
        pbx = lab.stack.enter_context(Asterisk(lab.host('pbx'), '1999', secret=SECRET))
        home = lab.router('home', nat='preserving', firewall='drop')
        other = lab.router('elsewhere', nat='preserving', firewall='drop')
        node = Node(lab, lab.host('node', home), '2001',
                    peers=[{'number': '1999', 'host': pbx.addr,
                            'secret_file': secret_file(lab)}])
        wait_until(node.status, 10, 'the node to start')
        events = Events(node)
        node.connect('1999')
        first = pbx.wait_call().wait_state('up')
        began = time.monotonic()
        plug(node.host, other)
        second = pbx.wait_call().wait_state('up')
        took = time.monotonic() - began
        print(f'# dialled again after {took:.1f} s', flush=True)
        true(second is not first, 'another call')
        between(0, took, 4, 'seconds until dialled again')
        events.wait('link_down')
        wait_until(lambda: [x['state'] for x in node.links()] == ['up'], 3, 'the link to be up')


if __name__ == '__main__':
    main(missing())
