#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The main job, shown on one machine: a registrar and two nodes, each behind
its own carrier's translator, one dials the other, speech passes both ways.

Called by ./dev run.  With --json, or without a terminal, prints one object.
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, missing, wait_until  # noqa: E402
from sound import read_wav, write_wav  # noqa: E402
from stations import KEYHOLE, snr, speech  # noqa: E402
from topology import CARRIER, HOME, World  # noqa: E402

DELAY_MS = 25
SECONDS = 10
LEAST_DB = 30
STANDSTILL_MS = 20  # of the machine: speech that it spoiled is said again
TRIES = 3


def say(quiet, text):
    if not quiet:
        print(text, flush=True)


def pass_once(lab, talker, listener, sent):
    """Speech from one to the other; wavsnr's figures of what arrived."""
    before, begin = len(listener.ptt_edges()), len(read_wav(listener.tx_wav))
    talker.play(sent)
    wait_until(lambda: len(listener.ptt_edges()) >= before + 2, SECONDS + 10,
               'the listener to key and unkey')
    wait_until(lambda: not listener.status()['radio']['ptt'], 5, 'PTT off')
    got = write_wav(os.path.join(lab.dir, 'arrived.wav'), read_wav(listener.tx_wav)[begin:])
    return snr(sent, got)


def pass_speech(lab, talker, listener, voice, quiet):
    """The same, where a machine that stood still is not to blame."""
    sent = speech(os.path.join(lab.dir, voice + '.wav'), SECONDS, voice)
    for _ in range(TRIES):
        got = pass_once(lab, talker, listener, sent)
        if got['snr_db'] >= LEAST_DB or lab.wan.late_ms() <= STANDSTILL_MS:
            break
        say(quiet, f'This machine stood still for {lab.wan.late_ms():.0f} ms: again...')
    return got


def run(lab, quiet):
    say(quiet, 'Building a small internet: a registrar, and two nodes, each behind a home router\n'
               'and a carrier that translates addresses and drops what was not asked for.')
    world = World(lab, measured=True)
    a = world.behind('2001', CARRIER, HOME)
    b = world.behind('2002', CARRIER, HOME)
    world.up()
    world.strangers_get_nothing(b)
    say(quiet, 'Both are registered; a plain call to either gets no answer. Node 2001 dials 2002:')
    call = a.connect('2002')
    say(quiet, f"Connected: {call['path']}, {call['family']}, in {call['dial_ms']:.0f} ms "
               f"({call['dial_rtts']:.1f} round trips of {call['rtt_ms']:.0f} ms).")
    say(quiet, f'Speech, {SECONDS} s each way...')
    there = pass_speech(lab, a, b, 'en', quiet)
    back = pass_speech(lab, b, a, 'en-us', quiet)
    wait_until(lambda: all(n.status()['reach']['mapping'] != 'unknown' for n in (a, b)), 20,
               'their networks to be measured')
    say(quiet, f"What arrived against what was sent: {there['snr_db']:.1f} dB and "
               f"{back['snr_db']:.1f} dB.")
    result = {
        'ok': min(there['snr_db'], back['snr_db']) >= LEAST_DB,
        'path': call['path'],
        'family': call['family'],
        'snr_db': [round(there['snr_db'], 2), round(back['snr_db'], 2)],
        'dial_ms': round(call['dial_ms'], 1),
        'rtt_ms': round(call['rtt_ms'], 1),
        'dial_rtts': round(call['dial_rtts'], 2),
        'nat': [n.status()['reach']['mapping'] for n in (a, b)],
    }
    return result, a


def console(node):
    print('\nThis is the console of node 2001. Try status, disconnect 2002, connect 2002, events,\n'
          'help; exit ends it all.\n', flush=True)
    subprocess.run([KEYHOLE, '-s', node.socket], check=False)


def main():
    parser = argparse.ArgumentParser(prog='./dev run', description=__doc__.split('\n', 1)[0])
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    quiet = parser.parse_args().json or not sys.stdout.isatty()
    lacking = missing()
    if lacking:
        print(json.dumps({'ok': False, 'why': lacking}) if quiet else lacking)
        return 1
    try:
        with Lab(delay_ms=DELAY_MS) as lab:
            result, node = run(lab, quiet)
            if quiet:
                print(json.dumps(result))
            else:
                time.sleep(0.1)
                console(node)
    except Exception as why:  # whatever it was, the caller gets one object
        if not quiet:
            raise
        print(json.dumps({'ok': False, 'why': str(why)}))
        return 1
    return 0 if result['ok'] else 1


if __name__ == '__main__':
    sys.exit(main())
