# SPDX-License-Identifier: MIT
"""Levels from the console: meters that move, a test tone that keys and ends,
and a calibration that asks."""

import contextlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import time

from control import Line
from lab import Lab, missing, wait_until
from sound import RATE, read_wav, write_wav
from stations import KEYHOLE, Node
from tap import Skip, between, equal, main, test, true
from terminal import Terminal

HZ = 1000


def alone(lab, **conf):
    """One node that nobody calls."""
    node = Node(lab, lab.host('a'), '2001', **conf)
    wait_until(lambda: node.status(), 10, 'the node to start')
    return node


def sine(node, name, seconds, peak):
    """A file of 1 kHz for the node to receive."""
    return write_wav(os.path.join(node.dir, name), [
        round(peak * math.sin(2 * math.pi * HZ * i / RATE)) for i in range(int(seconds * RATE))])


def amplitude(samples):
    re_part = sum(s * math.cos(2 * math.pi * HZ * i / RATE) for i, s in enumerate(samples))
    im_part = sum(s * math.sin(2 * math.pi * HZ * i / RATE) for i, s in enumerate(samples))
    return 2 * math.hypot(re_part, im_part) / len(samples)


def watch(node, *options):
    """What `keyhole levels` prints, at its end."""
    return subprocess.Popen([KEYHOLE, '-s', node.socket, *options], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def keyed_s(node):
    edges = node.ptt_edges()
    return [(off['t_us'] - on['t_us']) / 1e6 for on, off in zip(edges[::2], edges[1::2])]


@test
def meters_follow_what_is_received():
    with Lab() as lab:
        node = alone(lab)
        lines = watch(node, 'levels', '--seconds', '4.5')
        objects = watch(node, '--json', 'levels', '--seconds', '4.5', '--every', '100')
        node.play(sine(node, 'tone.wav', 6, 8231))  # -12 dBFS of peak, -15 of average
        heard = lines.communicate()[0].splitlines()
        between(4, len(heard), 4, 'lines in 4.5 s')
        numbers = re.match(r'rx (\S+) peak (\S+) clip (\d+), .* COR up, CTCSS no, PTT off, ', heard[-1])
        true(numbers, heard[-1])
        between(-15.2, float(numbers[1]), -14.8, 'average in dBFS')
        between(-12.2, float(numbers[2]), -11.8, 'peak in dBFS')
        seen = [json.loads(line) for line in objects.communicate()[0].splitlines()]
        between(42, len(seen), 47, 'objects in 4.5 s')
        true({'rx_now_dbfs', 'tx_now_peak_dbfs', 'cor', 'ptt', 'ctcss', 'drift_ppm', 'xruns',
              'card_clipped'} <= seen[-1].keys(), 'all is in an object')
        between(-15.1, seen[-1]['rx_now_dbfs'], -14.9, 'average in dBFS')
        equal(0, objects.returncode, 'exit status')


@test
def a_test_tone_keys_for_its_time_at_its_level():
    with Lab() as lab:
        node = alone(lab)
        done = node.console('levels', '--calibrate', '--transmit', '--yes', '--tone', '3')
        equal((0, ''), (done.returncode, done.stderr), 'exit status')
        between(2.95, keyed_s(node)[0], 3.1, 's of transmission')
        node.stop()
        sent = read_wav(node.tx_wav)
        part = sent[RATE:2 * RATE]
        between(11500, amplitude(part), 11750, 'amplitude of -9 dBFS')


@test
def a_test_tone_ends_with_its_console():
    with Lab() as lab:
        node = alone(lab)
        console = watch(node, 'levels', '--calibrate', '--transmit', '--yes', '--tone', '20')
        wait_until(lambda: node.ptt_edges(), 5, 'PTT')
        other = node.console('levels', '--calibrate', '--transmit', '--yes', '--tone', '1')
        equal(1, other.returncode, 'exit status of another')
        true('another console transmits' in other.stderr, other.stderr)
        killed = time.monotonic()
        console.send_signal(signal.SIGKILL)
        console.wait()
        wait_until(lambda: len(node.ptt_edges()) == 2, 5, 'the end of the tone')
        between(0, time.monotonic() - killed, 0.5, 's until it was unkeyed')


@test
def the_timer_holds_for_a_test_tone():
    with Lab() as lab:
        node = alone(lab, radio={'timeout_s': 10}, ptt={'announce_ms': 0})
        done = node.console('levels', '--calibrate', '--transmit', '--yes', '--tone', '11')
        true('radio.timeout_s, 10' in done.stderr, done.stderr)
        equal([], node.ptt_edges(), 'PTT')
        done = watch(node, 'levels', '--calibrate', '--transmit', '--yes', '--tone', '10')
        wait_until(lambda: len(node.ptt_edges()) == 2, 15, 'its end')
        done.communicate()
        between(9.9, keyed_s(node)[0], 10.05, 's of transmission')


@test
def a_radio_without_a_mixer_says_what_to_do():
    with Lab() as lab:
        node = alone(lab)
        done = node.console('levels', '--calibrate', '--receive', '--yes', '--seconds', '0.5')
        equal(1, done.returncode, 'exit status')
        true('nothing is received' in done.stderr, done.stderr)
        node.play(sine(node, 'soft.wav', 8, 2600))
        wait_until(lambda: node.status()['radio']['cor'], 5, 'COR')
        done = node.console('levels', '--calibrate', '--receive', '--yes', '--seconds', '1')
        true('no mixer to set: make what it receives 13.0 dB louder' in done.stderr, done.stderr)
        done = node.console('levels', '--calibrate', '--eeprom', '--receive', '--yes',
                            '--seconds', '1', '--dry-run')
        equal(1, done.returncode, 'exit status')


@test
def what_is_right_is_left_as_it_is():
    with Lab() as lab:
        node = alone(lab)
        with open(node.conf, encoding='ascii') as f:
            before = f.read()
        node.play(sine(node, 'right.wav', 8, 11627))
        wait_until(lambda: node.status()['radio']['cor'], 5, 'COR')
        done = node.console('--json', 'levels', '--calibrate', '--receive', '--seconds', '1')
        equal(0, done.returncode, done.stderr)
        got = json.loads(done.stdout)
        between(-12.1, got['receive']['average_dbfs'], -11.9, 'average in dBFS')
        equal(0, got['receive']['clipped'], 'clipped samples')
        true('stored' not in got, 'nothing is stored')
        with open(node.conf, encoding='ascii') as f:
            equal(before, f.read(), 'the configuration')


@test
def what_cannot_be_asked_is_refused():
    with Lab() as lab:
        node = alone(lab)
        with Line(node.socket) as line:
            for method, params in (
                    ('levels', {'every_ms': 10}), ('levels', {'every_ms': 'often'}),
                    ('levels', {'every_ms': 100, 'seconds': -1}), ('levels', {'every_ms': 1e300}),
                    ('levels.set', {'rx_db': 41}), ('levels.set', {'boost': 1}),
                    ('levels.set', {'tx_a_db': None}), ('levels.tone', {'hz': 0}),
                    ('levels.tone', {'dbfs': 1}), ('levels.tone', {'seconds': 181}),
                    ('levels.tone', {'seconds': [1]})):
                equal(-32602, line.answer(method, **params)['error']['code'], f'{method} {params}')
            for method, params in (('levels.set', {'rx_db': 1}), ('levels.keep', {})):
                equal(1, line.answer(method, **params)['error']['code'], f'{method} {params}')
            equal('sim', line.ask('levels.get')['type'], 'type of the radio')
            true('rx_db' not in line.ask('levels.get'), 'it has no mixer')
            equal('sim', line.ask('levels')['type'], 'type of the radio')
        equal([], node.ptt_edges(), 'PTT')


@test
def many_may_watch_and_one_too_many_is_told():
    with Lab() as lab, contextlib.ExitStack() as open_lines:
        node = alone(lab)
        lines = [open_lines.enter_context(Line(node.socket)) for _ in range(33)]
        for line in lines[:-1]:
            line.send('levels', every_ms=50)
        for line in lines[:-1]:
            equal('levels', line.read()['method'], 'a notification')
        true('too many' in lines[-1].answer('levels', every_ms=50)['error']['message'], 'refused')
        open_lines.close()
        wait_until(lambda: watch(node, '--json', 'levels', '--seconds', '0.2').wait() == 0, 5,
                   'room for others when they have gone')


def terminal(node, *words):
    if not shutil.which('tmux'):
        raise Skip('there is no tmux')
    return Terminal(node.dir, [KEYHOLE, '-s', node.socket, *words])


@test
def a_terminal_shows_a_screen_that_stays_in_place():
    with Lab() as lab:
        node = alone(lab)
        with terminal(node, 'levels') as screen:
            screen.shows('COR down')
            node.play(sine(node, 'tone.wav', 20, 8231))
            screen.shows('COR up')
            screen.shows('-15.0 avg  -12.0 peak')
            time.sleep(1)
            lines = screen.screen()
            equal(5, len(lines), 'lines on the screen')
            equal('receive  [#########################=|       ]  -15.0 avg  -12.0 peak     0 clip',
                  lines[0], 'the receiver')
            equal('transmit [                                  ]  -99.0 avg  -99.0 peak     0 clip',
                  lines[1], 'the transmitter')
            equal('COR up     CTCSS no   VOX no   PTT off          sound running', lines[3],
                  'the radio')
            screen.key('C-c')
            screen.shows('ended 0')


@test
def a_person_is_asked_before_anything_is_keyed():
    with Lab() as lab:
        node = alone(lab)
        node.play(sine(node, 'right.wav', 30, 11627))
        with terminal(node, 'levels', '--calibrate', '--seconds', '1', '--tone', '1') as screen:
            screen.shows('s to leave this out:')
            screen.key('Enter')
            screen.shows('That is right.')
            screen.shows('Transmit now? [y/N]')
            time.sleep(1)
            equal([], node.ptt_edges(), 'PTT before there was an answer')
            screen.key('y', 'Enter')
            screen.shows('Deviation in kHz')
            wait_until(lambda: len(node.ptt_edges()) == 2, 5, 'the end of the tone')
            screen.key('r', 'Enter')
            wait_until(lambda: len(node.ptt_edges()) == 4, 10, 'it again')
            screen.key('Enter')
            screen.shows('ended 0')
        done = subprocess.run([KEYHOLE, '-s', node.socket, 'levels', '--calibrate', '--transmit'],
                              stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False)
        equal(0, done.returncode, 'exit status without an answer')
        equal(4, len(node.ptt_edges()), 'PTT edges without an answer')


if __name__ == '__main__':
    main(missing())
