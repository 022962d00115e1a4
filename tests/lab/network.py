# SPDX-License-Identifier: MIT
"""A network of six: three scripted nodes of app_rpt, two nodes and a hub, which
is a node without a radio, each at a site of its own.

    with Network([('1997', '2001'), ...]) as net:   # who keeps a link to whom
        net.whole(35)
        net.heard_once('1997')
"""

import math
import os
import sys
import time

from app_rpt import AppRpt
from asterisk import Asterisk
from lab import Lab, wait_until
from rpt_conference import LINEAR, Conference
from sound import RATE, frames, read_wav, sweep, write_wav
from stations import Node, snr
from tap import Failed, between, equal, true

PEERS, NODES, HUB = ('1997', '1998', '1999'), ('2001', '2002'), '2000'
ALL = (*PEERS, HUB, *NODES)
EARS = (*PEERS, *NODES)
CLEAN_DB = 25
OVER_S = 1.0
AFTER_S = 0.6       # an echo, or a second copy, would come within that
SLOWEST_S = 2.5     # through the whole chain
RESTART_S = 2       # of the unit
TONES_HZ = {number: 500 + 300 * i for i, number in enumerate(EARS)}
TONE_PEAK = 3000

# Links that are to stay are ended from afar as well.
FUNCTIONS = [{'code': code, 'does': does, 'links': True}
             for code, does in (('1', 'disconnect'), ('3', 'connect'), ('811', 'disconnect-permanent'))]


class Rpt:
    """A scripted node."""

    def __init__(self, net, number):
        self.net, self.number = net, number
        self.site = net.lab.host(f'rpt{number}')
        self.addr = self.site.addr4
        self.pbx = None

    def start(self):
        self.pbx = self.net.lab.stack.enter_context(Asterisk(self.site, self.number))
        self.rpt = AppRpt(self.pbx)
        with self.pbx.lock:
            self.conference = Conference(self.rpt)

    def keep(self):
        for number in self.net.kept_by(self.number):
            self.rpt.keep(number, self.net.addr(number))

    def kill(self):
        self.pbx.kill()

    def stop(self):
        """It ends with the lab."""

    def known(self):
        return self.rpt.known()

    def talk(self, wav):
        self.conference.talk(frames(wav))

    def mark(self):
        return len(self.conference.overs)

    def overs(self, mark):
        """(how many begun, whether the last one is over)."""
        with self.pbx.lock:
            return len(self.conference.overs) - mark, not self.conference.on_air

    def samples(self, mark):
        return [LINEAR[code] for over in self.conference.overs[mark:] for block in over for code in block]

    def command(self, number, digits):
        self.rpt.command(number, digits)

    def refuses(self, number):
        true(not self.rpt.connect(number, self.net.addr(number)), f'{self.number} knows {number} already')


class Ours:
    """A node, or the hub."""

    def __init__(self, net, number):
        self.net, self.number = net, number
        self.site = net.lab.host(f'node{number}')
        self.addr = self.site.addr4
        self.node = None

    def start(self):
        if self.node:
            self.node.start()
        else:
            radio = {'radio': {'type': 'none'}} if self.number == HUB else {}
            self.node = Node(self.net.lab, self.site, self.number, accept={'by_address': True},
                             peers=[{'number': n, 'host': self.net.addr(n)} for n in ALL if n != self.number],
                             links=[{'node': n} for n in self.net.kept_by(self.number)],
                             functions=FUNCTIONS, jitter={'min_ms': 150}, **radio)
        wait_until(self.node.status, 10, f'node {self.number} to start')

    def keep(self):
        """Its configuration has them."""

    def kill(self):
        self.node.stop('KILL')

    def stop(self):
        self.node.stop()
        equal(0, self.node.process.returncode, f"node {self.number}'s exit status")

    def known(self):
        return [number for link in self.node.links() if link['state'] == 'up'
                for number in [link['node'], *(x['node'] for x in link['behind'] if x['mode'] != 'connecting')]]

    def talk(self, wav):
        self.node.play(wav)

    def mark(self):
        return len(self.node.ptt_edges()), self._length()

    def _length(self):
        return len(read_wav(self.node.tx_wav)) if os.path.exists(self.node.tx_wav) else 0

    def overs(self, mark):
        edges = len(self.node.ptt_edges()) - mark[0]
        return (edges + 1) // 2, edges % 2 == 0

    def samples(self, mark):
        return read_wav(self.node.tx_wav)[mark[1]:]

    def command(self, number, digits):
        """In command mode, by the tones that its radio hears."""
        self.node.play(dtmf(os.path.join(self.net.lab.dir, 'digits.wav'), f'*4{number}{digits}#'))

    def refuses(self, number):
        status, said, _ = self.node.refused(number)
        equal(1, status, f'connect {self.number} -> {number}: {said}')
        true('through node' in said, said)


def dtmf(path, digits, tone_s=0.1):
    """Digits as a telephone's keys say them, Q.23."""
    n, samples = int(tone_s * RATE), []
    for digit in digits:
        row, column = divmod('123A456B789C*0#D'.index(digit), 4)
        pair = (697, 770, 852, 941)[row], (1209, 1336, 1477, 1633)[column]
        samples += [int(4000 * sum(math.sin(2 * math.pi * hz * i / RATE) for hz in pair)) for i in range(n)] + [0] * n
    return write_wav(path, samples)


def level(samples, hz):
    """The amplitude of a tone."""
    a = b = 0.0
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    for x in samples:
        a, b = x + turn * a - b, a
    return 2 * math.sqrt(max(a * a + b * b - turn * a * b, 0)) / len(samples)


class Network:
    """links: (who keeps it, to whom)."""

    def __init__(self, links):
        self.links = links
        self.lab = Lab(delay_ms=5)

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.at = {n: (Rpt if n in PEERS else Ours)(self, n) for n in ALL}
            for station in self.at.values():
                station.start()
            self.sounds = {n: sweep(os.path.join(self.lab.dir, f'{n}.wav'), OVER_S, 300 + 100 * i, 2400 + 150 * i)
                           for i, n in enumerate(EARS)}
            for station in self.at.values():
                station.keep()
        except BaseException:
            self.lab.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if not kind:
                for station in self.at.values():
                    station.stop()
        except BaseException:
            kind, value, trace = sys.exc_info()
            raise
        finally:
            self.lab.__exit__(kind, value, trace)

    def addr(self, number):
        return self.at[number].addr

    def kept_by(self, number):
        """Whom its configuration has it linked to."""
        return [to for by, to in self.links if by == number]

    # --- who knows whom -----------------------------------------------------

    def know(self, groups, timeout_s, what):
        """Each of a group knows all others in it, once, and nobody else; the seconds it took."""
        want = {n: sorted(set(group) - {n}) for group in groups for n in group}
        began = time.monotonic()

        def missing():
            return {n: known for n in want if (known := sorted(self.at[n].known())) != want[n]}
        try:
            wait_until(lambda: not missing(), timeout_s, what, every_s=0.1)
        except Exception as e:
            raise type(e)(f'{e}: {missing()}') from None
        return time.monotonic() - began

    def whole(self, timeout_s, what='all know all others'):
        return self.know([ALL], timeout_s, what)

    # --- speech -------------------------------------------------------------

    def heard_once(self, talker, by=EARS, least_db=CLEAN_DB):
        """All others hear one over, which is what was said; the talker, and whoever else, nothing."""
        ears = [n for n in by if n in EARS and n != talker]
        marks = {n: self.at[n].mark() for n in EARS}
        self.at[talker].talk(self.sounds[talker])
        wait_until(lambda: all(self.at[n].overs(marks[n])[0] for n in ears), SLOWEST_S,
                   f'all others to hear {talker}')
        wait_until(lambda: all(self.at[n].overs(marks[n])[1] for n in ears), OVER_S + SLOWEST_S,
                   f'{talker} to end')
        time.sleep(AFTER_S)
        equal({n: (int(n in ears), True) for n in EARS}, {n: self.at[n].overs(marks[n]) for n in EARS},
              f'overs of {talker}')
        return min(self._clean(talker, n, marks[n], least_db) for n in ears)

    def _clean(self, talker, ear, mark, least_db):
        got = write_wav(os.path.join(self.lab.dir, f'{talker}-{ear}.wav'), self.at[ear].samples(mark))
        figures = snr(self.sounds[talker], got)
        between(least_db, figures['snr_db'], 200, f'{talker} as {ear} hears it, dB')
        return figures['snr_db']

    def all_at_once(self):
        """Each says a tone, and hears those of all others at their level, and not its own."""
        n = int(2.5 * RATE)
        marks = {ear: self.at[ear].mark() for ear in EARS}
        for talker, hz in TONES_HZ.items():
            self.at[talker].talk(write_wav(os.path.join(self.lab.dir, f'tone{hz}.wav'), [
                int(TONE_PEAK * math.sin(2 * math.pi * hz * i / RATE)) for i in range(n)]))
        wait_until(lambda: all(self.at[ear].overs(marks[ear]) >= (1, True) for ear in EARS), 8, 'all to be heard')
        for ear in EARS:
            self._hears_others(ear, self.at[ear].samples(marks[ear]))

    @staticmethod
    def _hears_others(ear, samples):
        start = next((i for i, x in enumerate(samples) if abs(x) > 300), None)
        if start is None:
            raise Failed(f'{ear} heard nothing')
        part = samples[start + int(1.4 * RATE):start + 2 * RATE]
        true(len(part) > RATE // 2, f'{ear} heard them for long enough')
        for talker, hz in TONES_HZ.items():
            share = level(part, hz) / TONE_PEAK
            if talker == ear:
                between(0, share, 0.03, f'{ear} of itself')
            else:
                between(0.85, share, 1.15, f'{ear} of {talker}')

    # --- death --------------------------------------------------------------

    def dies(self, number):
        """Killed, and started again as its unit would be, with the links that it keeps."""
        self.at[number].kill()
        time.sleep(RESTART_S)
        self.at[number].start()
        self.at[number].keep()

    def heals(self, number, timeout_s):
        """After such a death: all know all others, and hear one another and the one that died."""
        self.dies(number)
        took = self.whole(timeout_s, f'all to know all others after {number} died') + RESTART_S
        for talker in dict.fromkeys((number if number in EARS else EARS[0], EARS[-1])):
            self.heard_once(talker)
        print(f'# whole {took:.1f} s after {number} died')
