# SPDX-License-Identifier: MIT
"""keyholed and a peer that behaves as Asterisk does: calls both ways, and what
both make of them."""

import os

import iax2
from asterisk import Asterisk, started
from lab import Lab, missing, wait_until
from sound import frames, sweep, write_heard
from stations import Node, snr
from tap import between, equal, main, test, true

SECRET = 'correct horse'
ULAW_DB = 30


class Pair:
    """A node and a scripted peer that know each other by number and secret."""

    def __init__(self, lab, codecs=(), **more):
        self.lab = lab
        self.pbx = lab.stack.enter_context(Asterisk(lab.host('pbx'), '1999', secret=SECRET, **more))
        secret = os.path.join(lab.dir, 'secret')
        with open(secret, 'w', encoding='ascii', opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(SECRET + '\n')
        self.node = started(Node(lab, lab.host('node'), '2001', iax2={'codecs': list(codecs)},
                                 peers=[{'number': '1999', 'host': self.pbx.addr, 'secret_file': secret}]))
        self.wav = sweep(os.path.join(lab.dir, 'sweep.wav'))

    def called(self):
        """The peer calls the node."""
        call = self.pbx.dial(self.node.host.addr4, '2001').wait_state('up')
        self.is_up('in')
        return call

    def calls(self):
        """The node calls the peer."""
        self.node.connect('1999')
        call = self.pbx.wait_call().wait_state('up')
        self.is_up('out')
        return call

    def is_up(self, direction, codec='ulaw'):
        link = wait_until(lambda: [x for x in self.node.links() if x['state'] == 'up'], 3,
                          'the link to be up')[0]
        equal(('1999', direction, codec), (link['node'], link['direction'], link['codec']), 'the link')

    def heard_by_node(self, call, codec='ulaw', least_db=ULAW_DB):
        """The peer speaks; the node transmits it, and unkeys."""
        before = len(self.node.ptt_edges())
        call.talk(frames(self.wav, codec))
        wait_until(lambda: len(self.node.ptt_edges()) == before + 2, 10, 'a transmission')
        got = os.path.join(self.lab.dir, 'got.wav')
        equal(True, self.node.links()[0]['rx_frames'] > 0, 'frames received')
        os.link(self.node.tx_wav, got) if not os.path.exists(got) else None
        between(least_db, snr(self.wav, self.node.tx_wav)['snr_db'], 200, 'what the node transmits, dB')

    def heard_by_peer(self, call, least_db=ULAW_DB):
        """The node's radio hears something; it arrives at the peer."""
        begin, unkeys = len(call.heard), call.count(iax2.CONTROL, iax2.C_UNKEY)
        self.node.play(self.wav)
        call.wait_frame(iax2.CONTROL, iax2.C_UNKEY, 10, after=unkeys)
        got = write_heard(os.path.join(self.lab.dir, 'heard.wav'), call.heard, begin)
        between(least_db, snr(self.wav, got)['snr_db'], 200, 'what the peer hears, dB')

    def speak_both_ways(self, call):
        self.heard_by_node(call)
        self.heard_by_peer(call)


@test
def a_node_calls_asterisk():
    with Lab(delay_ms=5) as lab:
        pair = Pair(lab)
        call = pair.calls()
        pair.speak_both_ways(call)
        pair.node.console('disconnect', '1999')
        call.wait_state('down')
        equal(iax2.HANGUP, call.why.subclass, 'how it ended')
        equal([], pair.node.links(), 'links')


@test
def asterisk_calls_a_node():
    with Lab(delay_ms=5) as lab:
        pair = Pair(lab)
        call = pair.called()
        pair.speak_both_ways(call)
        call.hangup()
        wait_until(lambda: not pair.node.links(), 3, 'the link to end')


if __name__ == '__main__':
    main(missing())
