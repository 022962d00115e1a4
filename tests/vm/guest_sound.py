# SPDX-License-Identifier: MIT
"""In the guest: the ALSA device on the emulated fob, by the kernel's own driver."""

import array
import math
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from fobs import Fob, card, wait_for
from tap import between, equal, main, test, true

NAME = 'USB PnP Sound Device'
PROBE = os.path.join(os.environ.get('KEYHOLE_BUILD', '.'), 'tests/vm/soundprobe')


class Probe:
    """soundprobe, and what it said."""

    def __init__(self, seconds, capture, playback, mode='tone', rx_db=0, tx_db=0, heard=None):
        self.heard = heard
        if heard and os.path.exists(heard):
            os.unlink(heard)
        argv = [PROBE, seconds, capture, playback, rx_db, tx_db, mode] + ([heard] if heard else [])
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True)
        self.news, self.status = [], []

    def wait(self):
        for line in self.process.stdout:
            at, kind, text = line.rstrip('\n').split(' ', 2)
            if kind == 'status':
                self.status.append({k: float(v) for k, v in
                                    (w.split('=') for w in text.split())})
            else:
                self.news.append((float(at), kind, text))
        equal(0, self.process.wait(), "the probe's exit status")
        return self

    def samples(self):
        with open(self.heard, 'rb') as f:
            return array.array('h', f.read())


def said(probe, kind):
    return [text for _, k, text in probe.news if k == kind]


def plugged():
    return wait_for('the card', lambda: card(NAME) is not None) and f'hw:{card(NAME)}'


def snr(samples, rate, hz):
    """(SNR in dB, RMS) of a tone of about @hz, its frequency followed in each second."""
    signal = noise = 0.0
    for at in range(0, len(samples) - rate + 1, rate):
        x = samples[at:at + rate]
        best = min((residue(x, rate, hz * (1 + ppm * 1e-6)) for ppm in range(-400, 401, 100)),
                   key=lambda r: r[1])
        fine = min((residue(x, rate, best[2] * (1 + ppm * 1e-6)) for ppm in range(-80, 81, 20)),
                   key=lambda r: r[1])
        signal += fine[0]
        noise += fine[1]
    return 10 * math.log10(signal / max(noise, 1e-9)), math.sqrt(signal / len(samples))


def residue(x, rate, hz):
    """(energy of the tone in @x, energy beside it, @hz)"""
    w = 2 * math.pi * hz / rate
    table = [(math.cos(w * n), math.sin(w * n)) for n in range(len(x))]
    a = 2 / len(x) * sum(v * c for v, (c, _) in zip(x, table))
    b = 2 / len(x) * sum(v * s for v, (_, s) in zip(x, table))
    left = sum((v - a * c - b * s) ** 2 for v, (c, s) in zip(x, table))
    return (a * a + b * b) / 2 * len(x), left, hz


def clicks(samples, rate, hz):
    """The largest break of a tone's course, of what a lost sample would make."""
    k = 2 * math.cos(2 * math.pi * hz / rate)
    peak = max(map(abs, samples))
    step = peak * 2 * math.pi * hz / 48000
    return max(abs(c - k * b + a) for a, b, c in
               zip(samples, samples[1:], samples[2:])) / step


@test
def a_tone_passes_both_ways_by_a_clock_that_is_off():
    fob = Fob(ppm=200)
    name = plugged()
    fob('mic', 'tone', 1000, 8000)
    probe = Probe(9, name, name, heard='/run/heard.raw')
    wait_for('playback', lambda: fob.status()['play'] == 1)
    wait_for('it to settle', lambda: fob.status()['play_ms'] > 4000)
    fob('txfile', '/run/tx.raw')
    fob('clear')
    wait_for('its end', lambda: fob.status()['play_ms'] > 3000)
    fob('txfile', '-')
    s = fob.status()
    probe.wait()
    print('#', probe.status[-1])
    heard = probe.samples()[-3 * 8000:]
    with open('/run/tx.raw', 'rb') as f:
        sent = array.array('h', f.read())[::2]
    rx_db, rx_rms = snr(heard, 8000, 1000)
    tx_db, tx_rms = snr(sent[:3 * 48000], 48000, 1000)
    print(f'# heard: SNR {rx_db:.1f} dB, RMS {rx_rms:.0f}; sent: SNR {tx_db:.1f} dB, RMS {tx_rms:.0f}')
    true(rx_db > 45 and tx_db > 45, 'SNR of at least 45 dB')
    for rms in (rx_rms, tx_rms):
        between(-0.2, 20 * math.log10(rms / (8000 / math.sqrt(2))), 0.2, 'dB of level')
    true(clicks(heard, 8000, 1000) < 0.3, 'no sample was lost or made')
    true(clicks(sent, 48000, 1000) < 0.3, 'nor towards the card')
    between(150, probe.status[-1]['in_ppm'], 250, 'ppm, of 200')
    between(150, probe.status[-1]['out_ppm'], 250, 'ppm, of 200')
    equal(0, probe.status[-1]['xruns'], 'xruns')
    equal((0, 0), (s['play_resync'], s['cap_resync']), 'losses of the emulator itself')
    equal([f'the sound card {name} is in use'], said(probe, 'opened'), 'what was said')
    fob.close()
    wait_for('the card to go', lambda: card(NAME) is None)


@test
def the_mixer_is_set_by_what_it_can():
    fob = Fob()
    name = plugged()
    subprocess.run(['amixer', '-q', '-D', name, 'sset', 'Auto Gain Control', 'on'], check=True)
    probe = Probe(1, name, name, rx_db=6, tx_db=-12).wait()
    s = fob.status()
    for volume in s['spk'].split(','):
        between(-12.1, int(volume) / 256, -11.9, 'dB of the speaker volume')
    equal(6 * 256, s['mic_vol'], 'the microphone volume, 1/256 dB')
    equal((0, 0), (s['spk_mute'], s['mic_mute']), 'both on')
    equal(1, s['sidetone_mute'], 'the sidetone off')
    equal(0, s['agc'], 'automatic gain off')
    equal([], said(probe, 'warned'), 'no warning')
    probe = Probe(1, name, name, rx_db=30, tx_db=0).wait()
    equal(1, len(said(probe, 'warned')), 'a warning')
    true('23.0 dB only' in said(probe, 'warned')[0], said(probe, 'warned')[0])
    fob.close()
    wait_for('the card to go', lambda: card(NAME) is None)


@test
def a_pulled_plug_is_told_once_and_it_comes_back():
    fob = Fob()
    name = plugged()
    probe = Probe(7, name, name)
    wait_for('playback', lambda: fob.status()['play_ms'] > 500)
    fob('unplug')
    wait_for('the card to go', lambda: card(NAME) is None)
    since = os.times().elapsed
    wait_for('a while', lambda: os.times().elapsed > since + 1.5)
    fob('plug')
    wait_for('playback again', lambda: fob.status()['play'] == 1)
    probe.wait()
    equal([f'the sound card {name} went away', f'there is no sound card {name}'],
          said(probe, 'failed'), 'what was said')
    equal(2, len(said(probe, 'opened')), 'opened twice')
    equal(1, probe.status[-1]['running'], 'it runs at the end')
    fob.close()
    wait_for('the card to go', lambda: card(NAME) is None)


@test
def each_trouble_has_its_sentence():
    equal(['there is no sound card hw:7'], said(Probe(2, 'hw:7', 'hw:7').wait(), 'failed'),
          'no card')
    fob = Fob()
    name = plugged()
    holder = subprocess.Popen(['arecord', '-q', '-D', name, '-f', 'S16_LE', '-r', '48000', '-c1',
                               '/dev/null'])
    wait_for('capture', lambda: fob.status()['cap'] == 1)
    probe = Probe(4, name, '')
    wait_for('a try', lambda: probe.process.poll() is None)
    since = os.times().elapsed
    wait_for('2 s', lambda: os.times().elapsed > since + 2)
    holder.terminate()
    holder.wait()
    probe.wait()
    equal([f'another program holds the sound card {name}; fuser -v /dev/snd/* shows which'],
          said(probe, 'failed'), 'a card that is held')
    equal([f'the sound card {name} is in use, for capture only'], said(probe, 'opened'),
          'when it is let go')
    number = name[3:]
    os.rename(f'/dev/snd/pcmC{number}D0c', '/dev/snd/hidden')
    probe = Probe(2, name, name).wait()
    os.rename('/dev/snd/hidden', f'/dev/snd/pcmC{number}D0c')
    equal([f'the sound card {name} has no capture: nothing is received'], said(probe, 'failed'),
          'a card without capture')
    equal([f'the sound card {name} is in use, for playback only'], said(probe, 'opened'),
          'it plays')
    fob.close()
    wait_for('the card to go', lambda: card(NAME) is None)


@test
def a_loop_that_stands_still_is_noticed_and_overcome():
    fob = Fob()
    name = plugged()
    probe = Probe(12, name, name, mode='stall').wait()
    last = probe.status[-1]
    print('#', last)
    equal(1, last['starved'], 'noticed')
    equal((0, 0), (last['in_breaks'] // 2, last['out_breaks']), 'the streams went on')
    equal(probe.status[-4]['xruns'], last['xruns'], 'and it settled')
    between(-3, last['in_off_ms'], 3, 'ms off the level, capture')
    between(-3, last['out_off_ms'], 3, 'ms off the level, playback')
    fob.close()


if __name__ == '__main__':
    main([])
