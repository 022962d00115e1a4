# SPDX-License-Identifier: MIT
"""In the guest: Linux takes the emulated fob for a CM108, and its sound passes sample for sample."""

import array
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from fobs import Fob, card, wait_for
from tap import between, equal, main, test, true

NAME = 'USB PnP Sound Device'
ALSA = ('-q', '-f', 'S16_LE', '-r', '48000', '-t', 'raw', '--period-size=960', '--buffer-size=3840')


def plugged(fob_name=NAME):
    return wait_for('the card', lambda: card(fob_name) is not None) and card(fob_name)


def ramp(samples, channels):
    """Each sample one more than the last, the same in all channels."""
    return array.array('H', (i & 0xffff for i in range(1, samples + 1)
                             for _ in range(channels))).tobytes()


def breaks(path, channels):
    """(samples of the ramp, places where it is not one more) in a recording.

    The silence around does not count.
    """
    with open(path, 'rb') as f:
        left = array.array('H', f.read())[::channels]
    first = next((i for i, v in enumerate(left) if v), len(left))
    last = len(left)
    while last > first and left[last - 1] == 0:
        last -= 1
    part = left[first:last]
    return len(part), sum((b - a) & 0xffff != 1 for a, b in zip(part, part[1:]))


@test
def linux_takes_it_for_a_cm108():
    fob = Fob()
    number = plugged()
    controls = subprocess.run(['amixer', f'-c{number}', 'controls'],
                              capture_output=True, text=True).stdout
    names = set(re.findall(r"name='((?:Speaker|Mic|Auto)[^']*)'", controls))
    equal({'Speaker Playback Volume', 'Speaker Playback Switch',
           'Mic Capture Volume', 'Mic Capture Switch', 'Mic Playback Volume',
           'Mic Playback Switch', 'Auto Gain Control'}, names, 'controls')
    subprocess.run(['amixer', '-q', f'-c{number}', 'sset', 'Speaker', '151'],
                   check=True)
    equal('-16,-16', fob.status()['spk'], "the device's own speaker volume, 1/256 dB")
    fob.close()
    wait_for('the card to go', lambda: card(NAME) is None)


@test
def sound_passes_both_ways_sample_for_sample():
    fob = Fob()
    number = plugged()
    fob('txfile', '/run/tx.raw')
    fob('mic', 'ramp')
    heard = subprocess.Popen(['arecord', *ALSA, '-D', f'hw:{number}', '-c1',
                              '-d', '5', '/run/rx.raw'],
                             stderr=subprocess.PIPE, text=True)
    wait_for('capture', lambda: fob.status()['cap'] == 1)
    played = subprocess.run(['aplay', *ALSA, '-D', f'hw:{number}', '-c2'],
                            input=ramp(3 * 48000, 2), capture_output=True)
    errors = heard.communicate()[1] + played.stderr.decode()
    fob('txfile', '-')
    equal('', errors, 'what ALSA said')
    equal((3 * 48000, 0), breaks('/run/tx.raw', 2),
          'played samples, breaks')
    n, broken = breaks('/run/rx.raw', 1)
    between(5 * 48000 - 100, n, 5 * 48000, 'captured samples')
    equal(0, broken, 'breaks in what was captured')
    s = fob.status()
    equal((0, 0), (s['play_resync'], s['cap_resync']), 'losses of the emulator itself')
    fob.close()


@test
def pins_and_buttons_through_hidraw():
    fob = Fob()
    plugged()
    device = wait_for('hidraw', lambda: glob.glob('/dev/hidraw*'))[0]
    with open(device, 'r+b', buffering=0) as f:
        f.write(bytes((0, 0, 4, 4, 0)))
        equal(1, fob.status()['ptt'], 'PTT after GPIO 3 was driven high')
        f.write(bytes((0, 0, 0, 4, 0)))
        equal(0, fob.status()['ptt'], 'PTT after GPIO 3 was driven low')
        f.write(bytes((0, 0, 4, 0, 0)))
        equal(0, fob.status()['ptt'], 'PTT with GPIO 3 an input')
        fob('cor', 1)
        equal(bytes((2, 0, 0, 0)), f.read(4), 'the report of COR')
        fob('gpi', 2, 1)
        equal(bytes((2, 2, 0, 0)), f.read(4), 'the report of GPIO 2')
    fob.close()


@test
def a_pulled_plug_ends_playback_and_it_comes_back():
    fob = Fob()
    number = plugged()
    player = subprocess.Popen(['aplay', '-q', '-D', f'hw:{number}', '-f', 'cd',
                               '-r', '48000', '-d', '60', '/dev/zero'],
                              stderr=subprocess.PIPE)
    wait_for('playback', lambda: fob.status()['play'] == 1)
    fob('unplug')
    true(player.wait(timeout=30) != 0, 'aplay ends with an error')
    wait_for('the card to go', lambda: card(NAME) is None)
    fob('plug')
    plugged()
    fob.close()


@test
def a_clock_that_is_off_is_heard_so():
    fob = Fob(ppm=50000)
    number = plugged()
    fob('mic', 'ramp')
    clock = os.times().elapsed
    subprocess.run(['arecord', *ALSA, '-D', f'hw:{number}', '-c1', '-d', '4',
                    '/run/ppm.raw'], check=True)
    between(3.7, os.times().elapsed - clock, 3.95,
            'seconds for 4 s of a clock that is 5 % fast')
    fob.close()


@test
def two_at_once_are_told_apart():
    one = Fob('/run/one', serial='A1')
    two = Fob('/run/two', product='0012', name='USB Audio Device')
    cards = plugged(), plugged('USB Audio Device')
    true(cards[0] != cards[1], 'two cards')
    serials = {open(p).read().strip() for p in glob.glob('/sys/bus/usb/devices/*/serial')}
    true('A1' in serials, 'the serial number is seen')
    for fob, name in ((one, 'a'), (two, 'b')):
        fob('txfile', f'/run/{name}.raw')
    with open('/run/sound.raw', 'wb') as f:
        f.write(ramp(2 * 48000, 2))
    players = [subprocess.Popen(['aplay', *ALSA, '-D', f'hw:{c}', '-c2',
                                 '/run/sound.raw']) for c in cards]
    equal([0, 0], [p.wait(timeout=30) for p in players], 'both play')
    for fob, name in ((one, 'a'), (two, 'b')):
        fob('txfile', '-')
        equal((2 * 48000, 0), breaks(f'/run/{name}.raw', 2),
              'samples, breaks')
        fob.close()


if __name__ == '__main__':
    main([])
