# SPDX-License-Identifier: MIT
"""A node and a scripted peer that know each other, and what they hear of one
another."""

import contextlib
import os
import sys
import threading

import control
import iax2
from asterisk import Asterisk
from lab import Lab, wait_until
from sound import frames, read_wav, sweep, write_heard, write_wav
from stations import Node, Registrar, snr
from tap import Failed, between, equal, true

SECRET = 'correct horse'
CLEAN_DB = 30  # u-law's own noise is at about 37


def secret_file(lab, text=SECRET, name='secret'):
    path = os.path.join(lab.dir, name)
    with open(path, 'w', encoding='ascii', opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(text + '\n')
    return path


class Events:
    """What the node tells its consoles from now on."""

    def __init__(self, node):
        self.seen = []
        self._line = control.Line(node.socket)
        true(self._line.ask('events'), 'events are told')
        self._line.patience(None)
        thread = threading.Thread(target=self._read, daemon=True)
        thread.start()
        node.lab.stack.callback(self._end, thread)

    def _end(self, thread):
        with contextlib.suppress(OSError):
            self._line.end()
        thread.join(5)

    def _read(self):
        with self._line, contextlib.suppress(OSError):
            while True:
                note = self._line.read()
                if note.get('method') == 'event':
                    self.seen.append(note['params'])

    def of(self, kind):
        return [e for e in list(self.seen) if e['event'] == kind]

    def wait(self, kind, count=1, timeout_s=5):
        """The first so many events of a kind."""
        return wait_until(lambda: len(self.of(kind)) >= count and self.of(kind)[:count], timeout_s,
                          f'{count} events {kind}, among {self.seen}')


class OneNode:
    """A lab with a node, self.lab and self.node; the node ends well, or all of it has failed."""

    def __exit__(self, kind, value, trace):
        try:
            if not kind:
                self.node.stop()
                equal(0, self.node.process.returncode, "the node's exit status")
        except BaseException:
            kind, value, trace = sys.exc_info()
            raise
        finally:
            self.lab.__exit__(kind, value, trace)


class Pair(OneNode):
    """A lab with node 2001 and a scripted peer 1999, each with the other's secret.

    With a registrar the node knows nothing of where the peer is.  It ends well
    only when the node does: with status 0, so without a sanitizer's complaint.
    """

    def __init__(self, codecs=(), registrar=False, delay_ms=5, garbage=False, **pbx):
        self.lab = Lab(delay_ms=delay_ms, garbage=garbage)
        self._codec = (codecs or ['ulaw'])[0]
        self._made = (codecs, registrar, pbx)
        self._ended = 0

    def __enter__(self):
        self.lab.__enter__()
        try:
            self._make(*self._made)
        except BaseException:
            self.lab.__exit__(*sys.exc_info())
            raise
        return self

    def _make(self, codecs, registrar, pbx):
        lab = self.lab
        pbx.setdefault('secret', SECRET)
        self.pbx = lab.stack.enter_context(Asterisk(lab.host('pbx'), '1999', **pbx))
        self.secret_file = secret_file(lab)
        self.registrar = Registrar(lab, lab.host('registrar')) if registrar else None
        peers = [{'number': number, 'secret_file': self.secret_file} for number in ('1998', '1999')]
        if not registrar:
            peers[1]['host'] = self.pbx.addr
        self.node = Node(lab, lab.host('node'), '2001', self.registrar, peers=peers,
                         iax2={'codecs': list(codecs)},
                         jitter={'min_ms': 200})  # Python is not always on time
        wait_until(self.node.status, 10, 'the node to start')
        self.events = Events(self.node)
        self.wav = sweep(os.path.join(lab.dir, 'sweep.wav'))

    def third(self):
        """Another scripted peer, which the node knows as well, in a call."""
        other = self.lab.stack.enter_context(Asterisk(self.lab.host('third'), '1998', secret=SECRET))
        return other.dial(self.node.host.addr4, '2001').wait_state('up')

    def called(self, **dial):
        """The peer calls the node."""
        call = self.pbx.dial(self.node.host.addr4, '2001', **dial).wait_state('up')
        self.is_up('in')
        return call

    def calls(self):
        """The node calls the peer."""
        self.node.connect('1999')
        call = self.pbx.wait_call().wait_state('up')
        self.is_up('out')
        return call

    def is_up(self, direction):
        link = wait_until(lambda: [x for x in self.node.links() if (x['node'], x['state']) == ('1999', 'up')],
                          3, 'the link to be up')[0]
        equal((direction, self._codec), (link['direction'], link['codec']), 'the link')

    def link(self):
        """The one link that there is, as status tells it."""
        links = self.node.links()
        equal(1, len(links), 'links')
        return links[0]

    def is_over(self, why, timeout_s=5):
        """The link ended, and the node says why."""
        self._ended += 1
        ended = self.events.wait('link_down', self._ended, timeout_s)[-1]
        true(why in ended['why'], f'want {why!r} in {ended}')
        equal([], self.node.links(), 'links')

    # --- voice --------------------------------------------------------------

    def _transmitted(self, begin=0):
        """What the node transmitted after so many samples, as a WAV file."""
        return write_wav(os.path.join(self.lab.dir, 'transmitted.wav'), read_wav(self.node.tx_wav)[begin:])

    def heard_by_node(self, call, codec=None, least_db=CLEAN_DB, from_ts=None, fmt=None):
        """The peer speaks; the node transmits it once, as good as it was, and unkeys."""
        before, begin = len(self.node.ptt_edges()), len(read_wav(self.node.tx_wav))
        call.talk(frames(self.wav, codec or self._codec), fmt, from_ts)
        wait_until(lambda: len(self.node.ptt_edges()) == before + 2, 10, 'one transmission')
        got = self._transmitted(begin)
        between(least_db, snr(self.wav, got)['snr_db'], 200, 'what the node transmits, dB')

    def heard_by_peer(self, call, least_db=CLEAN_DB, meanwhile=None):
        """The node's radio hears something; it arrives, and its end is said."""
        begin, unkeys = len(call.heard), call.count(iax2.CONTROL, iax2.C_UNKEY)
        self.node.play(self.wav)
        if meanwhile:
            meanwhile()
        call.wait('the end of what it hears',
                  lambda: call.count(iax2.CONTROL, iax2.C_UNKEY) > unkeys, 10)
        got = write_heard(os.path.join(self.lab.dir, 'heard.wav'), call.heard, begin)
        between(least_db, snr(self.wav, got)['snr_db'], 200, 'what the peer hears, dB')

    def speak_both_ways(self, call, least_db=CLEAN_DB):
        """Both at once; what the peer says may arrive worse, if it is at fault."""
        self.heard_by_peer(call, meanwhile=lambda: self.heard_by_node(call, least_db=least_db))

    def is_well(self, call):
        """The call stands at both ends, and both hear each other."""
        equal('up', call.state, f'the call at the peer ({call.why})')
        equal('up', self.link()['state'], 'the link at the node')
        self.speak_both_ways(call)

    def runs(self):
        if self.node.process.poll() is not None:
            raise Failed(f'the node ended with {self.node.process.returncode}')
        true(self.node.status(), 'its console answers')
