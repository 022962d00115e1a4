# SPDX-License-Identifier: MIT
"""In the guest: a fob's levels are calibrated, and come back from the configuration or its EEPROM."""

import array
import contextlib
import ctypes
import json
import math
import os
import re
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from control import Line
from fobs import Fob, card, wait_for
from keyed import Station
from tap import between, equal, main, test, true

FIRST, WORDS = 51, 13
MAGIC = 34329
FULL = 32768
NAME = 'USB PnP Sound Device'


def calibrate(station, *options):
    done = station.console('node', 'levels', '--calibrate', '--yes', '--seconds', '0.5', *options)
    print('#', ' / '.join((done.stdout + done.stderr).splitlines()[-4:]))
    return done


def settings(station):
    """The file's settings of levels, by name."""
    with open(station.conf(), encoding='ascii') as f:
        audio = re.search(r'audio = \{(.*?)\}', f.read(), re.S)[1]
    return dict(re.findall(r'(\w+) = "?([^;"]*)"?;', audio))


def write(station, text):
    """@text in place of the file's settings of levels."""
    with open(station.conf(), encoding='ascii') as f:
        rest = re.sub(r'audio = \{.*?\};\n', '', f.read(), flags=re.S)
    with open(station.conf(), 'w', encoding='ascii') as f:
        f.write(rest + text)


def restart(station):
    station.process['node'].terminate()
    station.process['node'].wait(10)
    station.start()
    station.wait_ready()


def hears(fob, average_dbfs):
    """The fob's receiver has 1 kHz, so loud without its mixer."""
    fob('mic', 'tone', 1000, round(FULL * math.sqrt(2) * 10 ** (average_dbfs / 20)))
    fob('cor', 1)


def kept(fob, before):
    """What its EEPROM's block has come to, of @before."""
    block = dict(enumerate(before, FIRST))
    for _, text in fob.events('EEPROM write'):
        at, value = re.match(r'EEPROM write (\w+) = (\w+)', text).groups()
        block[int(at, 16)] = int(value, 16)
    equal(list(range(FIRST, FIRST + WORDS)), sorted(block), 'words that were written')
    return [block[at] for at in sorted(block)]


def sound_block(rx, tx_a, tx_b):
    """A block as app_rpt's programs leave it, with a setting of theirs."""
    block = [MAGIC, rx, tx_a, tx_b, 0, 0x3f80] + [0] * 6
    return [*block, -(0xffff + sum(block)) & 0xffff]


def loudest_second(path):
    """The amplitude of the loudest second on the left."""
    with open(path, 'rb') as f:
        left = array.array('h', f.read())[::2]
    return max(math.sqrt(2 * sum(v * v for v in left[i:i + 48000]) / 48000)
               for i in range(0, max(1, len(left) - 48000), 24000))


@contextlib.contextmanager
def plugged(**options):
    """A fob, until the end of the scenario; the one before is gone for the kernel, too."""
    wait_for('no card', lambda: card(NAME) is None)
    fob = Fob(**options)
    try:
        yield fob
    finally:
        fob.close()


@test
def the_capture_volume_is_found_and_stored():
    station = Station()
    write(station, '# what is heard\naudio = {\n\trx_db = 0.0; # the capture volume\n};\n')
    with plugged(gain=1) as fob, station as s:
        s.wait_ready()
        hears(fob, -20)
        s.wait_radio('cor', True)
        equal(0, calibrate(s, '--receive').returncode, 'exit status')
        equal(8 * 256, fob.status()['mic_vol'], 'the capture volume, 1/256 dB')
        equal('8.0', settings(s)['rx_db'], 'the setting')
        with open(s.conf(), encoding='ascii') as f:
            true('# what is heard\naudio = {' in (text := f.read()), text)
            true('# the capture volume' in text, text)
        hears(fob, -5)  # which the mixer's 8 dB clip
        equal(0, calibrate(s, '--receive').returncode, 'exit status')
        between(-8 * 256, fob.status()['mic_vol'], -6 * 256, 'the capture volume, 1/256 dB')
        hears(fob, -50)
        done = calibrate(s, '--receive')
        equal(1, done.returncode, 'exit status of what cannot be')
        true('at its greatest, 23.0 dB' in done.stderr, done.stderr)
        restart(s)
        between(-8 * 256, fob.status()['mic_vol'], -6 * 256, 'what was stored last is back')


@test
def a_tone_keys_and_the_playback_volume_follows_its_deviation():
    with plugged(gain=1) as fob, Station() as s:
        s.wait_ready()
        fob('txfile', '/run/tx.raw')
        start = time.monotonic()
        done = calibrate(s, '--transmit', '--tone', '3', '--deviation', '6')
        equal(0, done.returncode, 'exit status')
        fob('txfile', '-')
        on, off = (wait_for(f'PTT {n}', lambda n=n: [t for t, _ in fob.events(f'PTT {n}') if t >= start])
                   for n in (1, 0))
        between(2.8, off[0] - on[0], 3.3, 's of PTT')
        level = 20 * math.log10(loudest_second('/run/tx.raw') / FULL)
        between(-9.3, level, -8.7, 'dBFS that the fob played')
        for volume in fob.status()['spk'].split(','):
            between(-6.3, int(volume) / 256, -5.9, 'dB of the playback volume')
        between(-6.2, float(settings(s)['tx_a_db']), -6.0, 'the setting')
        equal(settings(s)['tx_a_db'], settings(s)['tx_b_db'], 'left and right')


@test
def the_eeprom_keeps_the_levels():
    station = Station()
    with plugged(gain=1) as fob, station as s:
        before = sound_block(1, 2, 3)
        for at, word in enumerate(before, FIRST):
            fob('eeprom', at, word)
        s.wait_ready()
        equal([], fob.events('EEPROM'), 'no look at the EEPROM where none is asked for')
        hears(fob, -20)
        s.wait_radio('cor', True)
        equal(0, calibrate(s, '--receive', '--eeprom').returncode, 'exit status')
        block = kept(fob, before)
        equal((MAGIC, 0x3f80), (block[0], block[5]), 'magic, and what others keep there')
        equal(0, (0xffff + sum(block)) & 0xffff, 'checksum')
        between(8, block[1] / 1000 * 35 - 12, 8.05, 'dB that it keeps for the capture volume')
        equal('eeprom', settings(s)['levels'], 'the setting that says so')
        write(s, 'audio = { levels = "eeprom"; rx_db = -3.0; tx_a_db = -20.0; };\n')
        restart(s)
        s.wait_said("levels from the fob's EEPROM: receive 8.0 dB")
        wait_for('the capture volume', lambda: fob.status()['mic_vol'] == 8 * 256)
        s.wait_radio('cor', True)  # it was up while the EEPROM was read
        equal(0x04, int(fob.status()['out'].split(',')[2], 16) & 0x04, 'GPIO3 is an output again')
        fob('unplug')
        s.wait_radio('state', 'down')
        fob('plug')
        s.wait_ready()
        wait_for('the capture volume', lambda: fob.status()['mic_vol'] == 8 * 256)


@test
def a_fob_that_keeps_nothing_leaves_the_levels_to_the_configuration():
    station = Station()
    write(station, 'audio = { levels = "eeprom"; rx_db = 5.0; };\n')
    with plugged() as fob, station as s:
        s.wait_ready()
        s.wait_said('EEPROM keeps no levels')
        equal(5 * 256, fob.status()['mic_vol'], 'the capture volume')


@test
def the_eeprom_waits_for_the_transmitter():
    with plugged() as fob, Station() as s:
        s.key(fob)
        answers = []

        def keep():
            with Line(f'{s.dir}/node.sock') as line:
                line.patience(60)
                answers.append(line.ask('levels.keep'))
        asked = threading.Thread(target=keep)
        asked.start()
        time.sleep(2)
        equal([], fob.events('EEPROM'), 'reports of the EEPROM while keyed')
        equal(1, fob.status()['ptt'], 'PTT')
        s.talk(False)
        wait_for('the EEPROM', lambda: fob.events('EEPROM write'))
        s.talk()  # in the middle of it
        wait_for('PTT', lambda: fob.status()['ptt'] == 1)
        s.talk(False)
        asked.join(60)
        true(answers and answers[0], 'it was kept in the end')
        keyed = False
        for _, text in fob.events():
            keyed = text == 'PTT 1' or (keyed and text != 'PTT 0')
            true(not (keyed and text.startswith('EEPROM')), f'{text} while keyed')
        kept(fob, [0xffff] * WORDS)


# --- the doctor ---


def findings(station):
    """(state, seen, mend) of each, by what it is of."""
    answer = json.loads(station.console('node', '--json', 'doctor').stdout)
    return {f['id']: (f['state'], f['seen'], f['mend']) for f in answer['findings']}


def told(station, what, state, seen, mend):
    found = findings(station)[what]
    equal(state, found[0], f'{what}: {found}')
    true(seen in found[1] and mend in found[2], found)


def mixer(number, *words):
    subprocess.run(['amixer', '-q', f'-c{number}', 'sset', *words], check=True)


def keep_clock():
    """As a time service does: the kernel's clock counts as right."""
    timex = bytearray(256)  # modes, offset, freq, maxerror, esterror, status
    struct.pack_into('=I4xqqqqi', timex, 0, 0x10 | 0x04, 0, 0, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    true(libc.adjtimex((ctypes.c_char * 256).from_buffer(timex)) >= 0, 'adjtimex')


@test
def the_doctor_tells_of_fob_mixer_and_clocks():
    station = Station()
    with plugged(gain=1) as fob, station as s:
        s.wait_ready()
        number = card(NAME)
        equal(['ok'] * 3, [findings(s)[what][0] for what in ('fob', 'mixer', 'sound')], 'at first')
        for words, state, seen in (
                (('Mic', 'nocap'), 'bad', 'capture switch is off'),
                (('Speaker', 'mute'), 'bad', 'playback switch is off'),
                (('Mic', 'capture', '20%'), 'warn', 'capture volume is'),
                (('Auto Gain Control', 'on'), 'warn', 'automatic gain')):
            mixer(number, *words)
            told(s, 'mixer', state, seen, 'keyhole reload')
            s.console('node', 'reload')
            wait_for('the mixer', lambda: findings(s)['mixer'][0] == 'ok')

        told(s, 'clock', 'warn', 'not synchronised', 'timedatectl')
        keep_clock()
        told(s, 'clock', 'ok', '', '')

        fob('unplug')
        s.wait_radio('state', 'down')
        told(s, 'fob', 'bad', '', 'Plug it in')
        fob('plug')
        s.wait_ready()
        told(s, 'fob', 'ok', '', '')

        fob('cor', 1)
        fob('ppm', 1000)
        wait_for('the drift', lambda: abs(s.radio()['drift_ppm']) > 350, seconds=120, every=1)
        told(s, 'sound', 'warn', 'ppm', 'replace it')
        fob('ppm', 0)
        wait_for('its end', lambda: abs(s.radio()['drift_ppm']) < 250, seconds=240, every=1)
        true('ppm' in findings(s)['sound'][1], findings(s)['sound'])


if __name__ == '__main__':
    main([])
