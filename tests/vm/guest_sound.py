# SPDX-License-Identifier: MIT
"""In the guest: the ALSA device on the emulated fob, by the kernel's own driver."""

import json
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from fobs import Fob, card, wait_for
from tap import between, equal, main, test, true

NOBODY = 65534
NAME = 'USB PnP Sound Device'
BUILD = os.environ.get('KEYHOLE_BUILD', '.')
PROBE = os.path.join(BUILD, 'tests/vm/soundprobe')
TONESNR = os.path.join(BUILD, 'tests/vm/tonesnr')


class Probe:
    """soundprobe, and what it said."""

    def __init__(self, seconds, capture, playback, mode='tone', rx_db=0, tx_db=0, heard=None, **how):
        self.heard = heard
        if heard and os.path.exists(heard):
            os.unlink(heard)
        argv = [PROBE, seconds, capture, playback, rx_db, tx_db, mode] + ([heard] if heard else [])
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True, **how)
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


def said(probe, kind):
    return [text for _, k, text in probe.news if k == kind]


def plugged():
    return wait_for('the card', lambda: card(NAME) is not None) and f'hw:{card(NAME)}'


def clean(path, rate, channels, seconds=3):
    """What tonesnr says of the last @seconds of a tone of 1 kHz."""
    return json.loads(subprocess.run([TONESNR, path, '1000', str(rate), str(channels),
                                      str(seconds)], check=True, stdout=subprocess.PIPE).stdout)


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
    level = 20 * math.log10(8000 / 32768)
    for what, tone in (('heard', clean('/run/heard.raw', 8000, 1)),
                       ('sent', clean('/run/tx.raw', 48000, 2))):
        print(f'# {what}: {tone}')
        true(tone['snr_db'] > 45, f'{what}: SNR of at least 45 dB')
        between(-0.2, tone['dbfs'] - level, 0.2, f'dB of level, {what}')
        # A sample of 48 kHz is 20.8 us.
        true(tone['step_us'] < 5, f'{what}: no sample was lost or made')
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
    probe = Probe(2, name, name, user=NOBODY, group=NOBODY, extra_groups=[]).wait()
    equal([f'this user may not open the sound card {name}; it must be in the group audio'],
          said(probe, 'failed'), 'no permission')
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
    probe = Probe(11, name, name, mode='stall').wait()
    first, last = probe.status[0], probe.status[-1]
    print('#', last)
    equal(3, last['starved'], 'noticed each time')
    equal(['the node handed over no sound for 200 ms: silence was played'],
          said(probe, 'warned'), 'and said, once a minute')
    equal((0, 0), (last['in_breaks'], last['out_breaks']), 'the streams went on')
    equal((0, 6), (first['xruns'], last['xruns']), 'one break each time, both ways')
    equal(probe.status[-2]['xruns'], last['xruns'], 'and it settled')
    for way in ('in', 'out'):
        wanted = [s[f'{way}_ms'] - s[f'{way}_off_ms'] for s in (first, last)]
        between(-0.1, wanted[1] - wanted[0], 0.1, f'ms more are to be held, {way}')
    between(-3, last['in_off_ms'], 3, 'ms off the level, capture')
    between(-3, last['out_off_ms'], 3, 'ms off the level, playback')
    fob.close()


if __name__ == '__main__':
    main([])
