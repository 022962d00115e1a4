# SPDX-License-Identifier: MIT
"""keyholed and a peer that behaves as Asterisk does: calls both ways, what is
said in them, and the refusals."""

import os
import time

import iax2
from asterisk import Asterisk
from lab import Lab, missing, wait_until
from pairs import CLEAN_DB, SECRET, Pair
from sound import frames, write_heard
from stations import snr
from tap import between, equal, main, test, true, within


# --- calls ------------------------------------------------------------------

@test
def a_node_calls_asterisk_and_both_hear_each_other():
    with Pair() as pair:
        call = pair.calls()
        pair.speak_both_ways(call)
        pair.node.console('disconnect', '1999')
        call.wait_state('down')
        equal((iax2.HANGUP, 16), (call.why.subclass, call.why.number(iax2.IE_CAUSECODE)), 'how it ended')
        equal([], pair.node.links(), 'links')


@test
def asterisk_calls_a_node_and_both_hear_each_other():
    with Pair() as pair:
        call = pair.called()
        pair.speak_both_ways(call)
        call.hangup()
        pair.is_over('hung up')
        equal([], call.unacked, 'unacknowledged')


@test
def calls_go_over_ipv6():
    with Pair(family=6) as pair:
        pair.speak_both_ways(pair.calls())
        equal('ipv6', pair.link()['family'], 'family')


@test
def a_peer_that_rings_first_and_then_answers():
    with Pair() as pair:
        pair.pbx.answers = 'rings'
        call = pair.calls()
        between(pair.pbx.ring_s * 1000, pair.link()['dial_ms'], pair.pbx.ring_s * 1000 + 500, 'dial_ms')
        pair.heard_by_peer(call)


@test
def a_peer_that_asks_for_neither_token_nor_proof():
    with Pair(token='none', secret=None) as pair:
        call = pair.calls()
        equal(0, call.authreps, 'answers to challenges')
        pair.heard_by_peer(call)


@test
def the_token_comes_first_and_the_new_begins_anew_with_it():
    with Pair() as pair:
        call = pair.calls()
        news = [f for _, data, _ in pair.pbx.got
                if isinstance(f := iax2.decode(data), iax2.Full) and f.is_iax(iax2.NEW)]
        equal([(0, 0), (0, 0)], [(f.oseq, f.iseq) for f in news], 'sequence numbers')
        equal(1, len({f.src for f in news}), 'call numbers')
        equal([0, 51], [len(f.ies[iax2.IE_CALLTOKEN]) for f in news], 'octets of the tokens')
        equal((b'2001', b'1999'), (call.new.ies[iax2.IE_CALLING_NUMBER],
                                   call.new.ies[iax2.IE_CALLED_NUMBER]), 'numbers')


@test
def asterisk_may_repeat_its_new_and_becomes_one_link():
    with Pair() as pair:
        pair.pbx.manners.copies = 3
        call = pair.called()
        pair.speak_both_ways(call)
        equal(1, pair.node.status()['limits']['calls']['now'], 'calls')


# --- what is said in a call -------------------------------------------------

@test
def text_digits_and_keying_arrive_both_ways():
    with Pair() as pair:
        call = pair.called()
        call.text('T 1999 COMPLETE')
        call.send(iax2.TEXT, 0, b'without an end')
        call.dtmf('*3')
        texts = pair.events.wait('text', 2)
        equal(['T 1999 COMPLETE', 'without an end'], [e['text'] for e in texts], 'texts')
        equal(['*', '3'], [e['digit'] for e in pair.events.wait('dtmf', 2)], 'digits')
        call.dtmf('7', begin=False)
        equal('7', pair.events.wait('dtmf', 3)[2]['digit'], 'a lone END')
        equal(0, pair.node.console('dtmf', 'A#1').returncode, 'dtmf')
        call.wait('three digits', lambda: call.count(iax2.DTMF_END, ord('1')), 3)
        digits = [(f.type, chr(f.subclass)) for f in call.got if f.type in (iax2.DTMF_BEGIN, iax2.DTMF_END)]
        equal([(t, d) for d in 'A#1' for t in (iax2.DTMF_BEGIN, iax2.DTMF_END)], digits, 'frames')


@test
def every_transmission_ends_with_unkey_and_comfort_noise():
    with Pair() as pair:
        call = pair.called()
        for i in (1, 2):
            pair.heard_by_peer(call)
            call.wait_frame(iax2.CNG, 0, after=i - 1)
        equal(2, sum(f.type == iax2.VOICE for f in call.got), 'full voice frames, one a transmission')


@test
def unkey_ends_a_transmission_at_once():
    with Pair() as pair:
        call = pair.called()
        call.key()
        pair.heard_by_node(call)
        call.talk([b'\x80' * 160] * 500)
        wait_until(lambda: pair.link()['rx_keyed'], 2, 'keyed')
        call.talk([b'\x80' * 160])
        call.wait('silence', lambda: not call.talking)
        call.unkey()
        wait_until(lambda: not pair.link()['rx_keyed'], 2, 'unkeyed')
        # With the next block of sound.
        wait_until(lambda: not pair.node.status()['radio']['ptt'], 0.1, 'PTT off')


@test
def asterisk_asks_for_lag_and_pings_and_is_answered():
    with Pair(delay_ms=20) as pair:
        pair.pbx.ping_s, pair.pbx.lagrq_s = 0.6, 0.4
        call = pair.called()
        pair.heard_by_node(call)
        pong = call.wait_frame(iax2.IAX, iax2.PONG, after=1)
        call.wait_frame(iax2.IAX, iax2.LAGRP, after=3)
        equal([46, 47, 48, 49, 50, 51], list(pong.ies), 'elements of PONG')
        between(0.035, call.rtt_s, 0.2, 'round trip by PONG')
        asked = {f.ts for _, f in pair.pbx.sent if f.is_iax(iax2.LAGRQ)}
        true({f.ts for f in call.got if f.is_iax(iax2.LAGRP)} <= asked, 'time stamps are copied')
        pair.is_well(call)


@test
def no_full_frame_where_the_time_stamps_wrap():
    with Pair() as pair:
        call = pair.called()
        pair.heard_by_node(call, from_ts=65536 - 700)
        equal(0, pair.link()['loss_pct'], 'loss')
        call.manners.full_at_wrap = True
        pair.heard_by_node(call, from_ts=2 * 65536 - 700)


def speak_in_trunk_frames(kind, **how):
    with Pair(**how) as pair:
        call = pair.called()
        call.manners.trunk = kind
        pair.heard_by_node(call)
        equal(0, pair.link()['loss_pct'], 'loss')
        equal(1, sum(f.type == iax2.VOICE and f.src == call.here for _, f in pair.pbx.sent),
              'full voice frames')


@test
def voice_in_trunk_frames_with_time_stamps():
    speak_in_trunk_frames(1)


@test
def voice_in_trunk_frames_with_one_time_stamp_for_all():
    # Wireshark looks for the length first here too, where Asterisk has the call number.
    speak_in_trunk_frames(0, garbage=True)


@test
def odd_sized_minis_pass():
    with Pair() as pair:
        call = pair.called()
        call.talk([b'\x80' * 80] * 20 + [b'\x80' * 320] * 20 + [b'\x80' * 1] * 5)
        call.wait('silence', lambda: not call.talking)
        wait_until(lambda: not pair.link()['rx_keyed'], 2, 'unkeyed')
        pair.is_well(call)


# --- codecs -----------------------------------------------------------------

def speak(codec, least_db):
    with Pair([codec], formats=[iax2.FORMATS[codec]]) as pair:
        call = pair.called()
        equal(iax2.FORMATS[codec], call.format, 'the format')
        pair.heard_by_node(call, least_db=least_db)
        pair.heard_by_peer(call, least_db=least_db)
        call.hangup()
        pair.is_over('hung up')
        call = pair.calls()
        pair.heard_by_node(call, least_db=least_db)


@test
def alaw_is_spoken():
    speak('alaw', CLEAN_DB)


@test
def linear_samples_are_spoken_in_network_order():
    speak('slin', 100)


@test
def gsm_is_spoken():
    speak('gsm', 5)


@test
def adpcm_is_spoken():
    speak('adpcm', 10)


@test
def the_called_sides_preference_decides():
    with Pair(formats=[iax2.FORMATS['gsm'], iax2.FORMATS['ulaw']]) as pair:
        call = pair.pbx.dial(pair.node.host.addr4, '2001').wait_state('up')
        equal(iax2.FORMATS['ulaw'], call.format, 'the node likes u-law best')
        call.hangup()
        pair.is_over('hung up')
        pair.node.connect('1999')
        equal('gsm', pair.link()['codec'], 'the peer likes GSM best')


# --- refusals ---------------------------------------------------------------

@test
def who_is_refused_is_told_why():
    with Pair() as pair:
        here = pair.node.host.addr4
        for why, code, dial in (('No such context/extension', 3, {'number': '2999'}),
                                ('No authority found', 50, {'secret': 'wrong'}),
                                ('No authority found', 50, {'calling': '1888'}),
                                ('Unable to negotiate codec', 58, {'formats': [0x100]})):
            call = pair.pbx.dial(here, **{'number': '2001', **dial}).wait_state('down')
            equal((iax2.REJECT, why, code), (call.why.subclass, call.why.text(iax2.IE_CAUSE),
                                             call.why.number(iax2.IE_CAUSECODE)), f'{dial}')
            time.sleep(0.3)
        equal([], pair.node.links(), 'links')
        pair.speak_both_ways(pair.called())


@test
def a_bad_call_token_is_refused_without_elements():
    with Pair() as pair:
        for token in (None, b'1700000000?0123456789abcdef0123456789abcdef01234567', b'x', b'\0' * 200):
            call = pair.pbx.dial(pair.node.host.addr4, '2001')
            call.end('only its number is used')
            body = iax2.ies((iax2.IE_VERSION, iax2.u16(2)), (iax2.IE_CALLED_NUMBER, '2001'))
            body += b'' if token is None else iax2.ies((iax2.IE_CALLTOKEN, token))
            src = pair.pbx.new_callno()
            pair.pbx.inject(iax2.full(src, 0, 7, 0, 0, iax2.IAX, iax2.NEW, body), pair.node.host.addr4)
            answer = pair.pbx.wait('an answer', lambda: next(
                (f for _, d, _ in pair.pbx.got if isinstance(f := iax2.decode(d), iax2.Full) and f.dst == src),
                None))
            equal((1, 7, 0, 1, iax2.REJECT, b''), (answer.src, answer.ts, answer.oseq, answer.iseq,
                                                   answer.subclass, answer.body), f'answer to {token}')


@test
def what_asterisk_refuses_is_told_to_the_operator():
    with Pair() as pair:
        pair.pbx.number = '1998'
        code, said, _ = pair.node.refused('1999')
        equal((1, True), (code, 'No such context/extension' in said), said)
        pair.pbx.number, pair.pbx.secret = '1999', 'another'
        code, said, _ = pair.node.refused('1999')
        equal((1, True), (code, 'No authority found' in said), said)
        pair.pbx.secret, pair.pbx.formats = SECRET, [0x100]
        code, said, _ = pair.node.refused('1999')
        equal((1, True), (code, 'Unable to negotiate codec' in said), said)
        pair.pbx.formats, pair.pbx.answers = [4], 'busy'
        code, said, _ = pair.node.refused('1999')
        equal((1, True), (code, 'Busy' in said), said)


# --- outside of calls -------------------------------------------------------

@test
def a_qualify_poke_is_answered():
    with Pair(delay_ms=20) as pair:
        between(0.035, pair.pbx.poke(pair.node.host.addr4), 0.3, 'until PONG')
        pong = pair.pbx.pongs[0]
        equal((3, 0, 1, b''), (pong.ts, pong.oseq, pong.iseq, pong.body), 'PONG')


@test
def a_plain_client_registers_and_is_called_by_number():
    with Pair(registrar=True) as pair:
        registrar, where = pair.registrar, pair.registrar.host.addr4
        added = registrar.command('node', 'add', '1999', '--md5-secret', pair.secret_file)
        equal(0, added.returncode, added.stderr)
        pair.node.wait_registered()
        reg = pair.pbx.register(where, '1999', SECRET, refresh_s=300).wait_state('registered')
        equal((pair.pbx.addr, 4569), reg.apparent, 'the apparent address')
        within(60, reg.refresh_s, 300, 'refresh')
        call = pair.calls()
        pair.speak_both_ways(call)
        call.hangup()
        reg.release()
        reg.wait_state('released')
        code, said, _ = pair.node.refused('1999')
        equal(1, code, said)
        bad = pair.pbx.register(where, '1999', 'wrong').wait_state('down')
        equal(iax2.REGREJ, bad.why.subclass, 'a wrong secret')


@test
def two_peers_hear_each_other_through_the_node():
    with Pair() as pair:
        one, other = pair.called(), pair.third()
        equal(['1998', '1999'], sorted(x['node'] for x in pair.node.links()), 'links')
        one.talk(frames(pair.wav))
        other.wait('the end of what it hears', lambda: other.count(iax2.CONTROL, iax2.C_UNKEY))
        got = write_heard(os.path.join(pair.lab.dir, 'other.wav'), other.heard)
        between(CLEAN_DB, snr(pair.wav, got)['snr_db'], 200, 'what the other hears, dB')
        equal(0, len(one.heard), 'frames that the speaker hears of itself')


@test
def scripted_peers_register_and_talk_with_each_other():
    with Lab(delay_ms=5) as lab:
        with Asterisk(lab.host('a'), '1998', secret='x') as a, Asterisk(lab.host('b'), '1999', secret='x') as b:
            b.clients['a'] = 'secret'
            reg = a.register(b.addr, 'a', 'secret', refresh_s=10).wait_state('registered')
            equal((60, (a.addr, 4569)), (reg.refresh_s, reg.apparent), 'refresh and address')
            call = a.dial(b.addr, '1999').wait_state('up')
            other = b.wait_call().wait_state('up')
            call.say([b'\x80' * 160] * 50)
            wait_until(lambda: len(other.heard) == 50, 2, 'fifty frames')
            call.hangup()
            other.wait_state('down')


if __name__ == '__main__':
    main(missing())
