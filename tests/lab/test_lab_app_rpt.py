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


def linked(pair, **kind):
    rpt = AppRpt(pair.pbx, **kind)
    return rpt, pair.called(username='radio')


@test
def both_ends_say_that_they_are_new():
    with Pair() as pair:
        rpt, call = linked(pair)
        call.wait('its list', lambda: 'L ' in [text for _, text in rpt.heard])
        equal(['!NEWKEY1!', 'L '], [text for _, text in rpt.heard][:2], 'what the node says')
        equal(('C', None), (rpt.of(call).state, rpt.of(call).timer), 'what it is taken for')
        wait_until(lambda: pair.link()['keying'] == 'newkey1', 3, 'the same at the node')
    with Pair() as pair:
        rpt = AppRpt(pair.pbx)
        pair.calls()
        wait_until(lambda: '!NEWKEY1!' in [text for _, text in rpt.heard], 3, 'a called node to say so')
        time.sleep(2.5)
        equal('C', rpt.links[0].state, 'what it is taken for')


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
        rpt, call = linked(pair)
        for _ in range(2):
            pair.heard_by_peer(call)
        link = rpt.of(call)
        call.wait('it to unkey', lambda: not link.keyed)
        between(4, len(link.keyings), 4, 'its keyings, which a pause of its own adds to')
        equal([True, False] * 2, [keyed for _, keyed in link.keyings], 'its keyings')
        for (on, _), (off, _) in zip(link.keyings[::2], link.keyings[1::2]):
            between(0.9, off - on, 1.25, 'seconds keyed, of 1 s of sound')


@test
def what_it_says_is_transmitted_and_ends_with_its_unkey():
    with Pair() as pair:
        rpt, call = linked(pair)
        for i in (1, 2):
            rpt.talk(call, frames(pair.wav))
            wait_until(lambda: len(pair.node.ptt_edges()) == 2 * i, 5, 'a transmission')
        equal('C', rpt.of(call).state, 'its state')


@test
def its_disconnect_ends_the_link():
    with Pair() as pair:
        rpt, call = linked(pair)
        rpt.disconnect(call)
        pair.is_over('hung up')
        true('!!DISCONNECT!!' in [e['text'] for e in pair.events.of('text')], 'the text')


@test
def a_disconnected_link_is_hung_up_at_its_end():
    with Pair() as pair:
        rpt, call = linked(pair)
        equal(0, pair.node.console('disconnect', '1999').returncode, 'disconnect')
        call.wait_state('down')
        equal('!!DISCONNECT!!', rpt.heard[-1][1], 'the last word')
        call.wait('it to unkey', lambda: not rpt.of(call).keyed)


@test
def its_digits_arrive_as_frames_and_ours_as_well():
    with Pair() as pair:
        _, call = linked(pair)
        call.dtmf('*70')
        equal(list('*70'), [e['digit'] for e in pair.events.wait('dtmf', 3)], 'digits')
        pair.node.console('dtmf', '*3')
        call.wait('two digits', lambda: call.count(iax2.DTMF_END, ord('3')))


@test
def the_other_end_knows_the_conference():
    with Pair() as pair:
        rpt, call = linked(pair)
        # After the list of its own that a new link brings, or that is the last word.
        wait_until(lambda: [e['text'] for e in pair.events.of('text')].count('L ') == 2, 3, 'its own lists')
        rpt.say(call, 'L T3001,R3002')
        event = pair.events.wait('behind', 1)[0]
        equal([{'node': '3001', 'mode': 'transceive'}, {'node': '3002', 'mode': 'monitor'}],
              event['nodes'], 'who is behind it')
        equal(event['nodes'], pair.link()['behind'], 'in the status')
        again = pair.node.console('connect', '3001')
        equal(1, again.returncode, 'a second way to one of them')
        true('through node 1999' in again.stderr, again.stderr)
        rpt.say(call, 'K? * 1999 0 0')
        call.wait('an answer', lambda: any(t.startswith('K 1999 2001 0 ') for _, t in rpt.heard))
        rpt.say(call, 'D 2001 1999 1 *')
        equal({'node': '1999', 'digit': '*'}, {k: pair.events.wait('dtmf')[0][k] for k in ('node', 'digit')}, 'a digit')
        equal(0, pair.node.console('message', '--all', 'Net at 20:00').returncode, 'message')
        equal(0, pair.node.console('command', '3001', '*7').returncode, 'command')
        call.wait('the words', lambda: 'M 2001 0 Net at 20:00' in [t for _, t in rpt.heard])
        call.wait('the digits', lambda: [t[-1] for _, t in rpt.heard if t.startswith('D 3001 2001 ')] == ['*', '7'])


@test
def who_keyed_last_is_told():
    with Pair() as pair:
        linked(pair)
        who = pair.node.console('who')
        equal(0, who.returncode, who.stderr)


@test
def an_old_node_speaks_for_ever_and_keys_nobody_by_that():
    with Pair() as pair:
        rpt, call = linked(pair, new=False)
        call.wait('the old way of keying', lambda: rpt.of(call).state == 'A', 5)
        wait_until(lambda: pair.link()['keying'] == 'legacy', 3, 'the node to know')
        time.sleep(2)
        equal('up', pair.link()['state'], 'the link')
        equal([], pair.node.ptt_edges(), 'transmissions')
        rpt.talk(call, frames(pair.wav))
        wait_until(lambda: len(pair.node.ptt_edges()) == 2, 5, 'a transmission')
        pair.heard_by_peer(call)
        call.wait('it to unkey', lambda: not rpt.of(call).keyed)
        equal([True, False], [keyed for _, keyed in rpt.of(call).keyings][-2:], 'its keyings')


if __name__ == '__main__':
    main(missing())
