# SPDX-License-Identifier: MIT
"""In the guest: from one fob's receiver over two daemons to the other fob's transmitter, and off in time."""

import math
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from link import ATTACK_MS, RELEASE_MS, TAIL_MS, TONE_PEAK, Link
from tap import between, equal, main, test, true

SECONDS = 60
LATE_S = 0.100   # that PTT may stay beyond the configured tail
FAILED_S = 0.500  # that it may stay when something broke
BACK_S = 0.250   # and of a fob that comes back keyed
LEVEL_DB = 20 * math.log10(TONE_PEAK / 32768)
MOUTH_TO_EAR_MS = 80
PACKET_MS = 30  # from COR to the first packet of voice, beyond the debounce
COUNTERS = ('play_late', 'play_resync', 'cap_late', 'cap_resync')


def clean(got, seconds):
    print(f'# {got}')
    between(seconds - 1, got['seconds'], seconds + 1, 'seconds recorded')
    between(LEVEL_DB - 1, got['dbfs'], LEVEL_DB + 1, 'level, dBFS')
    between(35, got['snr_db'], 200, 'SNR, dB')
    between(0, got['step_us'], 20, 'largest step in time, microseconds')


def counted(link):
    """What must not go up while all is well."""
    return {(name, k): v for name in ('a', 'b') for k, v in
            [('xruns', link.radio(name)['xruns']),
             *((k, link.fob[name].status()[k]) for k in COUNTERS)]}


@test
def a_tone_crosses_two_fobs_for_a_minute():
    with Link() as link:
        began = time.monotonic()
        link.talk()
        link.wait_ptt('b', True)
        print(f"# COR to PTT at the other end: {(link.since('b', 'PTT 1', began) - link.since('a', 'COR 1', began)) * 1000:.1f} ms")
        time.sleep(2)
        before = counted(link)
        used = os.times()
        got = link.heard('b', SECONDS)
        clean(got, SECONDS)
        equal(before, counted(link), 'xruns, and losses of the emulators')
        equal(1, len(link.fob['b'].events('PTT 1')), 'one keying')
        equal([], [t for t, _ in link.fob['b'].events('PLAYBACK stop') if t > began], 'playback ran through')
        for name in 'ab':
            print(f'# {name}: {link.radio(name)}')
            print(f'# {name}: {usage(link.node[name].process.pid)}')


def usage(pid):
    """CPU seconds and memory of a process so far."""
    with open(f'/proc/{pid}/stat') as f:
        words = f.read().rsplit(')', 1)[1].split()
    with open(f'/proc/{pid}/status') as f:
        rss = next(line.split()[1] for line in f if line.startswith('VmRSS'))
    hz = os.sysconf('SC_CLK_TCK')
    return f'cpu {(int(words[11]) + int(words[12])) / hz:.2f} s, rss {rss} kB'


@test
def a_word_is_heard_at_once():
    with Link() as link:
        link.fob['a']('mic', 'silence')
        link.fob['a']('cor', 1)
        link.wait_ptt('b', True)
        time.sleep(3)
        took = []
        for i in range(9):
            time.sleep(0.5 + i * 0.0023)  # anywhere in a beat
            said = time.monotonic()
            link.tone(True)
            time.sleep(0.3)
            link.tone(False)
            took.append(link.moment('b', 'SOUND', said) - link.moment('a', 'MIC', said))
        took = [round(t * 1000, 1) for t in sorted(took)]
        a, b = link.node['a'].status(), link.node['b'].status()
        print(f'# mouth to ear, ms: {took}; with their blocks of 20 ms: capture {a["radio"]["capture_ms"]}, '
              f'jitter buffer {[peer["playout_ms"] for peer in b["links"]]}, playback {b["radio"]["playback_ms"]}')
        between(0, took[len(took) // 2], MOUTH_TO_EAR_MS, 'median of mouth to ear, ms')


@test
def the_first_packet_follows_cor():
    with Link() as link, link.voice_from('a') as voice:
        late = []
        for i in range(5):
            time.sleep(3 + i * 0.0037)  # long enough for both nodes to rest
            began = time.monotonic()
            link.talk()
            link.wait_ptt('b', True)
            rose = link.since('a', 'COR 1', began)
            late.append(round((next(t for t in voice() if t >= rose) - rose) * 1000 - ATTACK_MS, 1))
            time.sleep(0.5)
            link.talk(False)
            link.wait_ptt('b', False)
        print(f'# COR to the first packet, beyond the debounce, ms: {late}')
        between(-ATTACK_MS, max(late), PACKET_MS, 'ms from COR to the first packet, beyond the debounce')


@test
def ptt_falls_with_cor_and_the_tail():
    with Link() as link:
        for _ in range(5):
            link.talk()
            link.wait_ptt('b', True)
            time.sleep(1)
            link.talk(False)
            fell = link.last('a', 'COR 0')
            link.wait_ptt('b', False)
            late = link.since('b', 'PTT 0', fell) - fell - TAIL_MS / 1000
            print(f'# {late * 1000:.1f} ms beyond the tail')
            between(-TAIL_MS / 1000, late, LATE_S, 'seconds that PTT stays beyond the tail')
            time.sleep(0.5)


@test
def the_end_of_an_over_is_transmitted():
    """Without a hang time PTT waits for what the card has yet to play, and no longer."""
    with Link(hang_ms=0) as link:
        for _ in range(3):
            link.talk()
            link.wait_ptt('b', True)
            time.sleep(0.7)
            link.fob['a']('cor', 0)  # its sound goes on
            fell = link.last('a', 'COR 0')
            link.wait_ptt('b', False)
            time.sleep(0.5)
            off = link.since('b', 'PTT 0', fell)
            ended = link.moment('b', 'QUIET', fell)
            print(f'# off {(off - fell) * 1000:.1f} ms after COR, {(off - ended) * 1000:.1f} ms after the sound')
            between(-0.002, off - ended, 0.050, 'seconds that PTT stays beyond the sound')
            between(0, off - fell - RELEASE_MS / 1000, LATE_S, 'seconds that PTT stays beyond the tail')


@test
def both_fobs_are_pulled_in_the_middle_and_it_goes_on():
    with Link() as link:
        link.talk()
        link.wait_ptt('b', True)
        time.sleep(2)
        clean(link.heard('b', 5), 5)
        for name in 'ba':
            link.fob[name]('unplug')
        for name in 'ab':
            link.wait_radio(name, 'down')
        time.sleep(1)
        link.talk(False)
        plugged = time.monotonic()
        for name in 'ab':
            link.fob[name]('plug')
        for name in 'ab':
            link.wait_radio(name)
        time.sleep(1)
        equal(None, link.since('b', 'PTT 1', plugged), 'keyed without a reason after it came back')
        link.talk()
        link.wait_ptt('b', True)
        time.sleep(2)
        clean(link.heard('b', 10), 10)


def keyed(link):
    """b transmits what a hears."""
    link.talk()
    link.wait_ptt('b', True)
    time.sleep(1)


def goes_off(link, what):
    """b's PTT falls within FAILED_S of what @what() does, and stays off."""
    began = time.monotonic()
    what()
    link.wait_ptt('b', False)
    took = link.since('b', 'PTT 0', began) - began
    print(f'# off after {took * 1000:.1f} ms')
    between(0, took, FAILED_S, 'seconds until PTT is off')
    time.sleep(2)
    equal(None, link.since('b', 'PTT 1', began), 'keyed again')


def by_signal(name, number):
    @test
    def scenario():
        with Link() as link:
            keyed(link)
            goes_off(link, lambda: link.node['b'].process.send_signal(number))
    scenario.__name__ = name


def scenarios_of_signals():
    for name, number in (('killed', signal.SIGKILL), ('stopped', signal.SIGSTOP),
                         ('crashed', signal.SIGSEGV), ('terminated', signal.SIGTERM)):
        by_signal(f'off_when_the_daemon_is_{name}', number)


scenarios_of_signals()


@test
def off_when_the_network_is_lost():
    with Link() as link:
        keyed(link)
        goes_off(link, link.cut)


@test
def off_when_the_peer_is_killed():
    with Link() as link:
        keyed(link)
        goes_off(link, link.node['a'].process.kill)


@test
def off_when_usb_is_lost_and_after():
    with Link() as link:
        keyed(link)
        goes_off(link, lambda: link.fob['b']('unplug'))
        link.talk(False)
        back = time.monotonic()
        link.fob['b']('plug')
        link.wait_radio('b')
        time.sleep(2)
        equal(None, link.since('b', 'PTT 1', back), 'keyed without a reason after it came back')
        keyed(link)


@test
def a_fob_that_comes_back_keyed_is_unkeyed():
    """Pulled by a fault of the bus, it keeps its power and its pins."""
    with Link(keep=True) as link:
        keyed(link)
        link.fob['b']('unplug')
        link.wait_radio('b', 'down')
        link.talk(False)
        time.sleep(1)
        equal(1, link.fob['b'].status()['ptt'], 'it stays keyed while nobody can reach it')
        back = time.monotonic()
        link.fob['b']('plug')
        link.wait_ptt('b', False)
        # Until then the kernel asks it who it is, and nobody else can reach it.
        took = link.since('b', 'PTT 0', back) - link.since('b', 'CONFIG 1', back)
        print(f'# off {took * 1000:.1f} ms after the kernel had set it up')
        between(0, took, BACK_S, 'seconds until PTT is off')
        time.sleep(2)
        equal(None, link.since('b', 'PTT 1', back), 'keyed again')
        true('cannot' not in link.said('b') and 'no HID' not in link.said('b'), 'no false alarm')


if __name__ == '__main__':
    main()
