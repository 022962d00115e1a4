# SPDX-License-Identifier: MIT
"""The simulated radio of whole programs: what keys it, what it repeats, and
what of the receiver's sound the links are told."""

import json
import math
import os
import subprocess
import threading

from lab import Lab, missing, wait_until
from sound import RATE, read_wav, write_wav
from stations import KEYHOLE, Node, snr, speech
from tap import between, equal, main, test, true
from topology import World

DTMF = {'1': (697, 1209), '5': (770, 1336), '9': (852, 1477), 'D': (941, 1633)}


def tone(samples, ms, *hz):
    samples += [int(sum(6000 * math.sin(2 * math.pi * f * i / RATE) for f in hz))
                for i in range(RATE * ms // 1000)]


def digits(path):
    """Two seconds of 400 Hz, four digits, and two seconds again."""
    samples = []
    tone(samples, 2000, 400)
    for pair in DTMF.values():
        tone(samples, 80, *pair)
        tone(samples, 80)
    tone(samples, 2000, 400)
    return write_wav(path, samples)


def amplitude(samples, hz):
    re = sum(s * math.cos(2 * math.pi * hz * i / RATE) for i, s in enumerate(samples))
    im = sum(s * math.sin(2 * math.pi * hz * i / RATE) for i, s in enumerate(samples))
    return 2 * math.hypot(re, im) / len(samples)


def loudest(samples, hz, ms=20):
    """The amplitude of @hz in that piece of @ms which has most of it."""
    n = RATE * ms // 1000
    return max(amplitude(samples[i:i + n], hz) for i in range(0, len(samples) - n, n // 2))


class Events:
    """What `keyhole events` says of a node, as it comes."""

    def __init__(self, node):
        self.seen = []
        self.process = subprocess.Popen([KEYHOLE, '-s', node.socket, 'events'], text=True,
                                        stdout=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.seen.append(json.loads(line))

    def of(self, kind):
        return [e for e in self.seen if e['event'] == kind]

    def stop(self):
        self.process.kill()
        self.process.wait()


def alone(lab, **conf):
    """One node that nobody calls."""
    node = Node(lab, lab.host('a'), '2001', **conf)
    wait_until(lambda: node.status(), 10, 'the node to start')
    return node


def rekey(node, text, **groups):
    """New settings in the node's file, and a reload."""
    with open(node.conf, encoding='ascii') as f:
        lines = [line for line in f if line.split(' ')[0] not in groups]
    with open(node.conf, 'w', encoding='ascii') as f:
        f.writelines(lines + [f'{name} = {value};\n' for name, value in groups.items()])
    equal(0, node.console('reload').returncode, text)


def lengths(node):
    """Of the node's transmissions, in seconds."""
    edges = node.ptt_edges()
    return [(off['t_us'] - on['t_us']) / 1e6 for on, off in zip(edges[::2], edges[1::2])]


@test
def a_repeater_repeats_sample_for_sample_and_hangs_as_it_is_told():
    with Lab() as lab:
        node = alone(lab, radio={'duplex': 2})
        wav = speech(os.path.join(lab.dir, 'speech.wav'), 3)
        node.play(wav)
        wait_until(lambda: len(node.ptt_edges()) == 2, 10, 'a transmission')
        rekey(node, 'reload', radio='{ type = "sim"; duplex = 2; hang_ms = 1000; }')
        node.play(wav)
        wait_until(lambda: len(node.ptt_edges()) == 4, 10, 'another')
        short, long = lengths(node)
        between(0.95, long - short, 1.05, 'hang time')
        node.stop()
        equal(120, snr(wav, node.tx_wav)['snr_db'], 'snr_db')


@test
def a_kerchunk_is_not_repeated_and_an_over_is_from_its_first_sample():
    with Lab() as lab:
        node = alone(lab, radio={'duplex': 2}, cor={'kerchunk_ms': 600, 'kerchunk_idle_s': 0})
        wav = speech(os.path.join(lab.dir, 'speech.wav'), 3)
        for _ in range(3):
            node.console('sim', 'cor', 'on')
            wait_until(lambda: node.status()['radio']['cor'], 5, 'COR')
            node.console('sim', 'cor', 'off')
            wait_until(lambda: not node.status()['radio']['cor'], 5, 'COR to fall')
        equal([], node.ptt_edges(), 'PTT')
        equal(3, node.status()['radio']['kerchunks'], 'kerchunks')
        node.play(wav)
        wait_until(lambda: len(node.ptt_edges()) == 2, 10, 'a transmission')
        node.stop()
        equal(120, snr(wav, node.tx_wav)['snr_db'], 'snr_db')


@test
def a_stuck_receiver_is_unkeyed_by_the_timer_and_locked_out():
    with Lab() as lab:
        node = alone(lab, radio={'duplex': 2, 'timeout_s': 10}, cor={'stuck_s': 30},
                     ptt={'announce_ms': 0})
        events = Events(node)
        node.console('sim', 'cor', 'on')
        wait_until(lambda: len(node.ptt_edges()) == 2, 15, 'the time-out')
        between(9.95, lengths(node)[0], 10.05, 'transmission')
        equal('timed-out', node.status()['radio']['ptt_state'], 'PTT')
        wait_until(lambda: node.status()['radio']['cor_stuck'], 25, 'the lock-out')
        true(not node.status()['radio']['cor'], 'what is locked out is not received')
        true('stuck' in node.console('status').stdout, 'the status says so')
        found = node.doctor()[1]['cor'][0]
        equal(('bad', True), (found['state'], 'squelch' in found['mend']), 'what the doctor says')
        node.console('sim', 'cor', 'off')
        wait_until(lambda: not node.status()['radio']['cor_stuck'], 5, 'its end')
        equal('ok', node.doctor()[1]['cor'][0]['state'], 'what the doctor says')
        wait_until(lambda: [e['on'] for e in events.of('cor_stuck')] == [True, False], 5, 'events')
        equal([10], [e['timeout_s'] for e in events.of('timed_out')], 'time-outs')
        with open(node.process.log, encoding='utf-8') as f:
            equal(1, f.read().count('the transmitter was unkeyed: it was on for 10 s'), 'lines of it')
        events.stop()
        equal(2, len(node.ptt_edges()), 'PTT edges')


@test
def half_duplex_does_not_transmit_while_it_receives():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.public('2001', 'a')
        b = world.node('2002', lab.host('b'), radio={'duplex': 1})
        world.up()
        wav = speech(os.path.join(lab.dir, 'speech.wav'), 3)
        a.connect(b.number)
        b.console('sim', 'cor', 'on')
        a.play(wav)
        wait_until(lambda: any(link['rx_keyed'] for link in b.links()), 5, 'speech')
        wait_until(lambda: not any(link['rx_keyed'] for link in b.links()), 10, 'its end')
        equal([], b.ptt_edges(), 'PTT while COR is up')
        b.console('sim', 'cor', 'off')
        a.play(wav)
        wait_until(lambda: len(b.ptt_edges()) == 2, 10, 'a transmission')


def dial(lab, how):
    """(events of the digits, what the other radio transmitted)."""
    world = World(lab)
    a = world.node('2001', lab.host('a'), rx={'dtmf': how})
    b = world.public('2002', 'b')
    world.up()
    a.connect(b.number)
    events = Events(a)
    a.play(digits(os.path.join(lab.dir, 'digits.wav')))
    wait_until(lambda: len(b.ptt_edges()) == 2, 15, 'the transmission')
    events.stop()
    b.stop()
    return ''.join(e['digit'] for e in events.of('radio_dtmf')), read_wav(b.tx_wav)


@test
def digits_are_told_and_heard():
    with Lab(delay_ms=25) as lab:
        told, heard = dial(lab, 'decode')
        equal('159D', told, 'digits')
        between(4000, loudest(heard, 697), 8000, 'the first digit')


@test
def digits_are_told_and_muted():
    with Lab(delay_ms=25) as lab:
        told, heard = dial(lab, 'mute')
        equal('159D', told, 'digits')
        between(4000, loudest(heard, 400), 8000, 'the words')
        for low, high in DTMF.values():
            between(0, min(loudest(heard, low), loudest(heard, high)), 400, f'{low} and {high} Hz')


if __name__ == '__main__':
    main(missing())
