# SPDX-License-Identifier: MIT
"""Peers that misbehave: the call stands or ends with a reason, the other
direction is never harmed, and the next call is as good as ever."""

import os
import random
import time

import iax2
from asterisk import Asterisk
from lab import missing, wait_until
from pairs import CLEAN_DB, SECRET, Pair
from sound import write_heard
from stations import snr
from tap import between, equal, main, test, true, within

UNKNOWN_FORMAT = 0x100  # G.729A


def rude(least_db=30, **manners):
    """A call in which the peer has other manners, and the call after it."""
    with Pair() as pair:
        call = pair.called()
        for name, value in manners.items():
            setattr(call.manners, name, value)
        call.text('anything')
        pair.speak_both_ways(call, least_db)
        pair.events.wait('text')
        equal('up', pair.link()['state'], 'the link')
        call.hangup()
        pair.is_over('hung up')
        pair.speak_both_ways(pair.calls())


# The long ones first: they run side by side.

@test
def one_that_acknowledges_nothing_at_all():
    with Pair() as pair:
        call = pair.called()
        call.manners.acks, call.manners.tells_iseq = 0, False
        pair.heard_by_node(call)
        pair.node.play(pair.wav)
        pair.is_over('silent', 40)
        call.hangup()
        pair.speak_both_ways(pair.calls())


@test
def one_that_dies_silently():
    with Pair() as pair:
        call = pair.called()
        call.talk([b'\x80' * 160] * 100)
        wait_until(lambda: pair.link()['rx_keyed'], 2, 'keyed')
        call.manners.hangs_up = False
        call.hangup()
        wait_until(lambda: not pair.node.status()['radio']['ptt'], 3, 'PTT off')
        pair.is_over('silent', 40)
        pair.speak_both_ways(pair.calls())


@test
def one_that_answers_neither_ping_nor_lagrq():
    with Pair() as pair:
        call = pair.called()
        call.manners.pongs = call.manners.lagrps = False
        call.wait_frame(iax2.IAX, iax2.PING, 15)
        call.wait_frame(iax2.IAX, iax2.LAGRQ, 15)
        pair.is_well(call)
        time.sleep(5)
        pair.is_well(call)


@test
def time_stamps_that_jump():
    with Pair() as pair:
        call = pair.called()
        for ms in (5000, -3000, 700, -20, 40000, 1 << 31):
            call.talk([b'\x80' * 160] * 30)
            time.sleep(0.2)
            call.jump(ms)
            call.wait('the end', lambda: not call.talking)
            wait_until(lambda: not pair.node.status()['radio']['ptt'], 5, f'PTT off after a jump of {ms} ms')
        # What a jump made look like delay is believed for at most 500 frames.
        call.say([b'\x80' * 160] * 550)
        wait_until(lambda: not pair.node.status()['radio']['ptt'], 5, 'PTT off')
        pair.is_well(call)


@test
def one_that_never_sends_an_ack():
    rude(acks=0)


@test
def one_that_acknowledges_twice():
    rude(acks=2)


@test
def one_that_repeats_everything():
    rude(copies=3)


@test
def one_that_sends_out_of_order():
    rude(swap_every=3, least_db=12)  # the last frame may wait for one that never comes


@test
def one_that_loses_every_seventh_datagram():
    with Pair() as pair:
        call = pair.called()
        call.manners.lose_every = 7
        pair.speak_both_ways(call, least_db=5)
        between(8, pair.link()['loss_pct'], 20, 'loss that status tells, %')
        # As Asterisk does, it forgets what is unacknowledged when it hangs up.
        call.manners.lose_every = 0
        call.wait('all to be acknowledged', lambda: not call.unacked, 15)
        call.hangup()
        pair.is_over('hung up')


@test
def one_that_sends_full_voice_frames_only():
    rude(every_voice_full=True)


@test
def acknowledgements_that_are_lost():
    with Pair() as pair:
        pair.pbx.ping_s = 0.3
        call = pair.called()
        pair.pbx.ping_s = 60
        call.wait('a round trip', lambda: call.rtt_s)
        # The node's own PING comes a second after the call stands.
        call.wait_frame(iax2.IAX, iax2.PING)
        call.wait('quiet', lambda: not call.unacked)
        pair.lab.wan.drop(2, src=pair.node.host.addr4, type=iax2.IAX, sub=iax2.ACK)
        call.text('once')
        call.wait('an acknowledgement', lambda: not call.unacked, 3)
        again = [(at, f) for at, f in pair.pbx.sent if f.type == iax2.TEXT]
        equal([False, True, True], [f.resent for _, f in again], 'the R bit')
        times = [at - again[0][0] for at, _ in again[1:]]
        between(0.1, times[0], 0.2, 'the first repetition, s')
        between(1.1, times[1], 1.3, 'the second')
        pair.is_well(call)
        equal(['once'], [e['text'] for e in pair.events.of('text')], 'texts')


@test
def one_that_calls_again_after_it_died():
    with Pair() as pair:
        call = pair.called()
        call.manners.hangs_up = False
        call.hangup()
        again = pair.pbx.dial(pair.node.host.addr4, '2001').wait_state('up')
        equal('the node called again', pair.events.wait('link_down')[0]['why'], 'the first call')
        pair.is_well(again)


@test
def one_that_never_acknowledges_hangup():
    with Pair() as pair:
        call = pair.called()
        call.manners.acks_hangup = False
        pair.node.console('disconnect', '1999')
        equal([], pair.node.links(), 'links')
        pair.speak_both_ways(pair.calls())
        wait_until(lambda: pair.node.status()['limits']['calls']['now'] == 1, 8, 'the first one to be forgotten')


@test
def wrong_sequence_numbers_are_asked_about_and_dropped():
    with Pair() as pair:
        call = pair.called()
        expected = call.oseq
        call.raw(iax2.TEXT, 0, b'too early\0', oseq=expected + 1)
        equal(expected, call.wait_frame(iax2.IAX, iax2.VNAK).iseq, 'VNAK asks for')
        call.raw(iax2.TEXT, 0, b'long ago\0', oseq=expected - 1)
        call.raw(iax2.TEXT, 0, b'far away\0', oseq=expected + 120)
        call.raw(iax2.IAX, iax2.ACK, iseq=expected + 77)
        call.raw(iax2.IAX, iax2.VNAK, iseq=call.iseq + 99)
        call.text('now')
        call.text('too early')
        pair.is_well(call)
        texts = [e['text'] for e in pair.events.of('text')]
        equal(['now', 'too early'], texts, 'texts: the early one was kept for its turn')


@test
def frames_for_a_call_that_is_not_get_inval_and_harm_none():
    with Pair() as pair:
        call = pair.called()
        before = pair.node.status()['counters']['unknown_call']
        call.raw(iax2.TEXT, 0, b'hello\0', dst=call.there ^ 0x55, src=call.here ^ 0x55)
        pair.pbx.wait('INVAL', lambda: any(f.is_iax(iax2.INVAL) for f in pair.pbx.full_frames()))
        inval = next(f for f in pair.pbx.full_frames() if f.is_iax(iax2.INVAL))
        equal((call.there ^ 0x55, call.here ^ 0x55), (inval.src, inval.dst), 'INVAL')
        equal(before + 1, pair.node.status()['counters']['unknown_call'], 'unknown_call')
        pair.is_well(call)


@test
def a_stranger_cannot_reach_into_a_call():
    with Pair() as pair:
        call = pair.called()
        with Asterisk(pair.lab.host('other'), '1998', secret=SECRET) as other:
            for sub in (iax2.HANGUP, iax2.INVAL, iax2.REJECT, iax2.VNAK):
                other.inject(iax2.full(call.here, call.there, 9, call.oseq, call.iseq, iax2.IAX, sub),
                             pair.node.host.addr4)
            other.inject(iax2.mini(call.here, 20, b'\x80' * 160), pair.node.host.addr4)
            time.sleep(0.3)
        pair.is_well(call)


@test
def whatever_one_peer_does_another_hears_nothing_of_it():
    with Pair(garbage=True) as pair:
        other, call = pair.third(), pair.called()
        call.manners.acks, call.manners.tells_iseq, call.manners.copies = 0, False, 3
        call.manners.swap_every = call.manners.oseq_skew = 2
        rng = random.Random(1)
        for i in range(300):
            pair.pbx.after(i * 0.005, call.emit, iax2.mini(call.here, 0, rng.randbytes(rng.randrange(300))))
            pair.pbx.after(i * 0.005, call.text, 'nonsense')
        begin = len(other.heard)
        pair.node.play(pair.wav)
        other.wait('the end of what it hears', lambda: other.count(iax2.CONTROL, iax2.C_UNKEY), 10)
        got = write_heard(os.path.join(pair.lab.dir, 'other.wav'), other.heard, begin)
        between(CLEAN_DB, snr(pair.wav, got)['snr_db'], 200, 'what the other hears, dB')
        equal('up', other.state, 'its call')


@test
def what_is_unknown_is_answered_or_acknowledged():
    with Pair() as pair:
        call = pair.called()
        call.send(iax2.IAX, 0x7e)
        unsupport = call.wait_frame(iax2.IAX, iax2.UNSUPPORT)
        equal(0x7e, unsupport.number(iax2.IE_IAX_UNKNOWN), 'IAX_UNKNOWN')
        for kind in (iax2.VIDEO, iax2.NULL, iax2.IMAGE, iax2.HTML, iax2.MODEM, 13, 63, 255):
            call.send(kind, 1, b'whatever')
        call.send(iax2.CONTROL, 0x33, b'never seen')
        for control in (iax2.C_PROGRESS, iax2.C_PROCEEDING, iax2.C_STOP_SOUNDS, iax2.C_RINGING, 22, 34):
            call.control(control)
        for sub in (iax2.TXREADY, iax2.TXREL, iax2.DPREQ, iax2.MWI, iax2.REGREQ, iax2.ACCEPT,
                    iax2.AUTHREP, iax2.NEW, iax2.CALLTOKEN):
            call.iax(sub) if sub not in iax2.UNCOUNTED else call.raw(iax2.IAX, sub)
        call.raw(iax2.IAX, iax2.POKE)
        call.raw(iax2.IAX, iax2.TXCNT)
        call.wait('all to be acknowledged', lambda: not call.unacked, 5)
        pair.is_well(call)


@test
def an_authreq_in_a_call_that_stands_changes_nothing():
    with Pair() as pair:
        call = pair.called()
        call.ask_for_proof('2001')
        call.wait('an acknowledgement', lambda: not call.unacked)
        equal(0, call.count_seen(iax2.IAX, iax2.AUTHREP), 'answers')
        pair.is_well(call)


@test
def a_transfer_is_refused():
    with Pair() as pair:
        call = pair.called()
        call.iax(iax2.TXREQ, (iax2.IE_APPARENT_ADDR, b'\2\0\x11\xd9\x7f\0\0\1' + bytes(8)))
        call.wait_frame(iax2.IAX, iax2.TXREJ)
        pair.is_well(call)


@test
def quelch_stops_voice_until_unquelch():
    with Pair() as pair:
        call = pair.called()
        call.iax(iax2.QUELCH)
        call.wait('an acknowledgement', lambda: not call.unacked)
        begin = len(call.heard)
        pair.node.play(pair.wav)
        pair.events.wait('cor', 2)
        equal(begin, len(call.heard), 'frames heard')
        call.iax(iax2.UNQUELCH)
        call.wait('an acknowledgement', lambda: not call.unacked)
        pair.is_well(call)


@test
def minis_before_a_full_frame_are_asked_about_and_harm_nothing():
    with Pair() as pair:
        call = pair.called()
        call.manners.mini_first = True
        call.say([b'\x80' * 160] * 20)
        true(call.count_seen(iax2.IAX, iax2.VNAK) >= 1, 'a VNAK')
        equal(0, pair.link()['rx_frames'], 'frames taken')
        call.manners.mini_first = False
        pair.is_well(call)


@test
def control_frames_end_a_call_with_their_reason():
    with Pair() as pair:
        for control, why in ((iax2.C_BUSY, 'Busy'), (iax2.C_CONGESTION, 'Congestion'),
                             (iax2.C_HANGUP, 'hung up')):
            call = pair.called()
            call.control(control)
            pair.is_over(why)
            call.wait_state('down')


@test
def another_format_within_a_call_is_heard_and_an_unknown_one_is_not():
    with Pair() as pair:
        call = pair.called()
        pair.heard_by_node(call, codec='alaw', fmt=iax2.FORMATS['alaw'])
        pair.heard_by_node(call, codec='gsm', fmt=iax2.FORMATS['gsm'], least_db=5)
        call.say([b'\x55' * 20] * 30, fmt=UNKNOWN_FORMAT)
        pair.is_well(call)


@test
def garbage_between_the_frames():
    with Pair(garbage=True) as pair:
        call = pair.called()
        rng = random.Random(4569)
        for i in range(400):
            head = (b'', iax2.full(call.here, call.there, i, call.oseq + 60, 0, rng.randrange(256), 0),
                    iax2.mini(call.here, 20 * i, b''), b'\0\0\1' + rng.randbytes(3),
                    iax2.full(call.here, 0, i, 0, 0, iax2.IAX, iax2.VNAK))[i % 5]
            pair.pbx.inject(head + rng.randbytes(rng.randrange(200)), pair.node.host.addr4)
            if i % 20 == 19:
                time.sleep(0.02)
        pair.runs()
        wait_until(lambda: not pair.node.status()['radio']['ptt'], 5, 'PTT off')
        pair.is_well(call)


@test
def elements_that_are_too_long_or_cut_off():
    with Pair(garbage=True) as pair:
        here = pair.node.host.addr4
        good = iax2.ies((iax2.IE_VERSION, iax2.u16(2)), (iax2.IE_CALLED_NUMBER, '2001'),
                        (iax2.IE_FORMAT, iax2.u32(4)))
        token = iax2.ies((iax2.IE_CALLTOKEN, b''))
        for body in (good + b'\x36', good + b'\x36\xff', b'\x01\xff2001' + token,
                     iax2.ies((iax2.IE_CALLED_NUMBER, '2' * 255), (iax2.IE_CALLING_NUMBER, '1' * 255)) + token,
                     iax2.ies((iax2.IE_VERSION, b''), (iax2.IE_FORMAT, b'\4')) + token, token * 400,
                     good + b'\0\0' * 700):
            pair.pbx.inject(iax2.full(pair.pbx.new_callno(), 0, 3, 0, 0, iax2.IAX, iax2.NEW, body), here)
        call = pair.called()
        before = pair.node.status()['counters']['malformed']
        for sub in (iax2.PONG, iax2.UNSUPPORT, iax2.HANGUP, iax2.ACCEPT):
            for body in (b'\x16\xff', b'\x2e\4\0', b'\x16\xffno end', b'\1'):
                call.raw(iax2.IAX, sub, body)
        for body in (b'\x2e\1\0', iax2.ies((iax2.IE_CAUSE, 'x' * 255)) * 4, b'\0\0' * 600):
            call.send(iax2.IAX, iax2.PONG, body)
            call.send(iax2.IAX, iax2.UNSUPPORT, body)
        call.send(iax2.TEXT, 0, b'')
        call.send(iax2.TEXT, 0, b'x' * 1400)
        call.wait('all that is whole to be acknowledged', lambda: not call.unacked)
        equal(before + 16, pair.node.status()['counters']['malformed'], 'malformed')
        pair.is_well(call)


@test
def a_peer_that_only_ever_sends_call_tokens():
    with Pair() as pair:
        pair.pbx.token_loop = True
        code, said, took_s = pair.node.refused('1999')
        equal(1, code, said)
        between(0, took_s, 9, 'seconds until it gave up')
        sent = sum(f.is_iax(iax2.NEW) for f in pair.pbx.full_frames())
        between(2, sent, 20, 'NEWs sent')
        pair.pbx.token_loop = False
        pair.speak_both_ways(pair.calls())


@test
def a_peer_that_only_ever_asks_for_proof():
    with Pair() as pair:
        pair.pbx.proof_loop = True
        code, said, took_s = pair.node.refused('1999')
        equal(1, code, said)
        between(0, took_s, 9, 'seconds until it gave up')
        within(1, pair.pbx.wait_call().authreps, 5, 'answers')
        pair.pbx.proof_loop = False
        pair.speak_both_ways(pair.calls())


@test
def a_peer_that_never_answers():
    with Pair() as pair:
        pair.pbx.answers = 'never'
        code, said, _ = pair.node.refused('1999', wait_s=2)
        equal(1, code, said)
        call = pair.pbx.wait_call().wait_state('down')
        equal(iax2.HANGUP, call.why.subclass, 'it is told')
        pair.pbx.answers = 'at once'
        pair.speak_both_ways(pair.calls())


def accept(fmt):
    """What accepts a call with this format; None: without saying one."""
    def script(call):
        call.iax(iax2.ACCEPT, *([(iax2.IE_FORMAT, iax2.u32(fmt))] if fmt is not None else []))
        call.control(iax2.C_ANSWER)
    return script


def ask(*elements):
    def script(call):
        call.iax(iax2.AUTHREQ, *elements)
    return script


@test
def set_ups_that_cannot_be_end_with_a_reason():
    md5, rsa = ((iax2.IE_AUTHMETHODS, iax2.u16(m)) for m in (iax2.AUTH_MD5, 4))
    challenge = (iax2.IE_CHALLENGE, '123456789')
    with Pair() as pair:
        for name, script in (('a format not offered', accept(UNKNOWN_FORMAT)), ('no format', accept(None)),
                             ('format 0', accept(0)), ('two formats', accept(4 | 8)),
                             ('RSA only', ask(rsa, challenge)), ('no method', ask(challenge)),
                             ('no challenge', ask(md5)), ('a long challenge', ask(md5, (challenge[0], '1' * 255))),
                             ('ACCEPT, then HANGUP', lambda call: (call.accept(4), call.hangup(0))),
                             ('INVAL', lambda call: call.raw(iax2.IAX, iax2.INVAL))):
            pair.pbx.script = script
            code, said, took_s = pair.node.refused('1999', wait_s=9)
            equal(1, code, f'{name}: exit status ({said})')
            true(said and 'not within' not in said, f'{name}: {said!r}')
            between(0, took_s, 6, f'{name}: seconds')
            wait_until(lambda: pair.node.status()['limits']['calls']['now'] == 0, 8, f'{name}: the call to be gone')
        pair.pbx.script = None
        pair.pbx.skip_calls()
        pair.speak_both_ways(pair.calls())


@test
def an_answer_before_accept_and_voice_before_the_answer():
    def script(call):
        call.control(iax2.C_ANSWER)
        call.control(iax2.C_PROCEEDING)
        call.accept(iax2.FORMATS['ulaw'])
        call.control(iax2.C_PROGRESS)
        call.talk([b'\x80' * 160] * 20)
        call.pbx.after(0.6, call.answer)
    with Pair() as pair:
        pair.pbx.script = script
        pair.speak_both_ways(pair.calls())


@test
def a_repeated_new_that_makes_a_second_call():
    with Pair() as pair:
        pair.lab.wan.drop(1, src=pair.pbx.addr, type=iax2.IAX, sub=iax2.AUTHREQ)
        pair.pbx.doubles = True
        pair.node.connect('1999')
        up = pair.pbx.wait('a call that is up', lambda: next((c for c in pair.pbx.calls if c.state == 'up'), None))
        pair.is_well(up)


if __name__ == '__main__':
    main(missing())
