# SPDX-License-Identifier: MIT
"""keyholed and a scripted AllStarLink node: what app_rpt says and does on a
link, and what both radios make of it."""

import time

import iax2
from app_rpt import AppRpt
from lab import missing, wait_until
from pairs import Pair
from sound import frames
from tap import between, equal, main, test, true


def sworn_in(pair):
    """A link on which the node has said that it keys as new nodes do: its
    operator's own word for it, as long as it does not say so itself."""
    rpt = AppRpt(pair.pbx)
    call = pair.called(username='radio')
    rpt.of(call).timer = None
    return rpt, call


@test
def its_texts_arrive_word_for_word():
    with Pair() as pair:
        AppRpt(pair.pbx)
        pair.called(username='radio')
        texts = [e['text'] for e in pair.events.wait('text', 5)]
        equal(['!NEWKEY1!', 'T 1999 COMPLETE', 'L ', 'T 1999 CONNECTED,1999,2001', 'L '], texts, 'a caller')
    with Pair() as pair:
        AppRpt(pair.pbx)
        pair.calls()
        texts = [e['text'] for e in pair.events.wait('text', 3)]
        equal(['L ', '!NEWKEY1!', 'L '], texts, 'a called one')


@test
def voice_keys_it_and_unkey_ends_that_at_once():
    with Pair() as pair:
        rpt, call = sworn_in(pair)
        for _ in range(2):
            pair.heard_by_peer(call)
        link = rpt.of(call)
        call.wait('it to unkey', lambda: not link.keyed)
        equal([True, False] * 2, [keyed for _, keyed in link.keyings], 'its keyings')
        for (on, _), (off, _) in zip(link.keyings[::2], link.keyings[1::2]):
            between(0.9, off - on, 1.25, 'seconds keyed, of 1 s of sound')


@test
def what_it_says_is_transmitted_and_ends_with_its_unkey():
    with Pair() as pair:
        rpt, call = sworn_in(pair)
        for i in (1, 2):
            rpt.talk(call, frames(pair.wav))
            wait_until(lambda: len(pair.node.ptt_edges()) == 2 * i, 5, 'a transmission')
        equal('C', rpt.of(call).state, 'its state')


@test
def its_disconnect_ends_the_link():
    with Pair() as pair:
        rpt, call = sworn_in(pair)
        rpt.disconnect(call)
        pair.is_over('hung up')
        true('!!DISCONNECT!!' in [e['text'] for e in pair.events.of('text')], 'the text')


@test
def a_disconnected_link_is_hung_up_at_its_end():
    with Pair() as pair:
        rpt, call = sworn_in(pair)
        equal(0, pair.node.console('disconnect', '1999').returncode, 'disconnect')
        call.wait_state('down')
        equal(iax2.HANGUP, call.why.subclass, 'how')
        call.wait('it to unkey', lambda: not rpt.of(call).keyed)


@test
def its_digits_arrive_as_frames_and_ours_as_well():
    with Pair() as pair:
        _, call = sworn_in(pair)
        call.dtmf('*70')
        equal(list('*70'), [e['digit'] for e in pair.events.wait('dtmf', 3)], 'digits')
        pair.node.console('dtmf', '*3')
        call.wait('two digits', lambda: call.count(iax2.DTMF_END, ord('3')))


@test
def an_old_node_speaks_for_ever_and_is_still_heard_by_ours():
    with Pair() as pair:
        rpt = AppRpt(pair.pbx, new=False)
        call = pair.called(username='radio')
        call.wait('the old way of keying', lambda: rpt.of(call).state == 'A', 5)
        time.sleep(1)
        equal('up', pair.link()['state'], 'the link')
        pair.heard_by_peer(call)


if __name__ == '__main__':
    main(missing())
