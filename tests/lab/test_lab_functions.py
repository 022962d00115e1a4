# SPDX-License-Identifier: MIT
"""Functions by digits in a conference with scripted nodes of AllStarLink's kind:
what they do to links, what others are told, and what of theirs is heard on our
air."""

import json
import os
import tempfile
import threading

import iax2
from app_rpt import AppRpt
from asterisk import Asterisk
from dnsd import DOMAIN, Scripted, name_of, service, srv_answer
from lab import Lab, missing, wait_until
from pairs import CLEAN_DB, SECRET, Events, OneNode, secret_file
from sound import frames, sweep, write_heard
from stations import Node, snr
from tap import between, equal, main, test, true


class Conference(OneNode):
    """Node 2001, which knows scripted nodes 1997 to 1999; resolver(server, datagram, from) answers
    for what others there are."""

    def __init__(self, resolver=None, **more):
        self.resolver, self.more = resolver, more

    def __enter__(self):
        self.lab = Lab(delay_ms=5)
        self.lab.__enter__()
        lab, secret = self.lab, secret_file(self.lab)
        self.pbx, self.rpt = {}, {}
        for number in ('1997', '1998', '1999'):
            self.pbx[number] = lab.stack.enter_context(Asterisk(lab.host('at' + number), number, secret=SECRET))
            self.rpt[number] = AppRpt(self.pbx[number])
        if self.resolver:
            self.dns = Scripted(lab, self.resolver)
            self.more['lookup'] = {'domain': DOMAIN, 'resolvers': [self.dns.addr]}
        peers = [{'number': number, 'host': pbx.addr, 'secret_file': secret} for number, pbx in self.pbx.items()]
        self.node = Node(lab, lab.host('node'), '2001', peers=peers, **self.more)
        wait_until(self.node.status, 10, 'the node to start')
        self.events = Events(self.node)
        return self

    def digits(self, digits):
        equal(0, self.node.console('function', digits).returncode, digits)

    def links(self):
        """(node, mode, permanent) of those that are up."""
        return sorted((x['node'], x['mode'], x['permanent']) for x in self.node.links() if x['state'] == 'up')

    def wait_links(self, *want):
        wait_until(lambda: self.links() == sorted(want), 10, f'{want}, not {self.links()}')

    def calls_us(self, number):
        return self.pbx[number].dial(self.node.host.addr4, '2001').wait_state('up')

    def telemetry(self, number):
        """What node @number was told by ours."""
        return [text.removeprefix('T 2001 ') for _, text in self.rpt[number].heard if text.startswith('T 2001 ')]

    def said(self):
        return self.node.status()['telemetry']['said']


@test
def all_links_are_ended_and_those_that_we_placed_come_back():
    with Conference() as c:
        c.calls_us('1997')
        c.digits('*31998')
        c.digits('*8121999')
        before = ('1998', 'transceive', False), ('1999', 'monitor', True)
        c.wait_links(('1997', 'transceive', False), *before)
        c.digits('*71')
        c.wait_links()
        # To end nothing is not to forget what was.
        c.digits('*71')
        c.digits('*74')
        c.wait_links(*before)
        equal([], c.pbx['1997'].calls, 'calls with whoever called us')
        # All is as it was: the one is permanent again, and not ended by *1.
        c.digits('*11999')
        c.digits('*11998')
        c.wait_links(before[1])


@test
def what_digits_did_is_told_to_the_conference():
    open_to_links = [{'code': code, 'does': does, 'links': True}
                     for code, does in (('1', 'disconnect'), ('3', 'connect'), ('4', 'remote'))]
    with Conference(functions=open_to_links) as c:
        rpt, call = c.rpt['1999'], c.calls_us('1999')
        link = rpt.of(call)
        wait_until(lambda: link.nodes is not None, 5, 'the link')

        def after(digits, *want):
            """What is told when node 1999's radio, or its operator, dials at ours."""
            heard = len(c.telemetry('1999'))
            for i, digit in enumerate(digits):
                rpt.say(call, f'D 2001 1999 {i} {digit}')
            wait_until(lambda: len(c.telemetry('1999')) >= heard + len(want), 10, f'{want} after {digits}')
            equal(list(want), c.telemetry('1999')[heard:], digits)

        after('*31998#', 'COMPLETE', 'CONNECTED,2001,1998')
        after('*31998#', 'REMALREADY')
        after('*31234#', 'REMNOTFOUND')
        after('*41998##', 'REMGO')
        after('*70', 'STATUS,2001,0,T1999,T1998')
        after('*11998#', 'COMPLETE')
        # Who asks at the console is not the conference's business.
        before = c.telemetry('1999')
        c.digits('*31999')
        c.digits('*70')
        wait_until(lambda: len(c.events.of('function')) >= 8, 5, 'the functions')
        equal(before, c.telemetry('1999'), 'told')


@test
def no_digit_is_lost_while_a_number_is_looked_up():
    may_answer = threading.Event()

    def wait_for_it(server, data, where):
        may_answer.wait(20)
        if name_of(data) == service('2500'):
            server.sock.sendto(srv_answer(data, 4569, 'nowhere.' + DOMAIN), where)

    open_to_links = [{'code': '3', 'does': 'connect', 'links': True}]
    with Conference(wait_for_it, functions=open_to_links) as c:
        rpt, call = c.rpt['1999'], c.calls_us('1999')
        wait_until(lambda: rpt.of(call).nodes is not None, 5, 'the link')

        def dial(digits):
            for i, digit in enumerate(digits):
                rpt.say(call, f'D 2001 1999 {i} {digit}')

        dial('*32500#')
        wait_until(lambda: c.dns.asked, 5, 'the question')
        # Whole functions, and the beginning of one that ends after the answer.
        dial('*70*31998#*980*319')
        wait_until(lambda: len(c.telemetry('1999')) >= 4, 5, 'what they did')
        equal({'STATUS,2001,0,T1999', 'COMPLETE', 'CONNECTED,2001,1998', 'STATS_VERSION,0.1.0'},
              set(c.telemetry('1999')), 'what they did')
        true(not may_answer.is_set(), 'the number is being looked up')
        may_answer.set()
        dial('97#')
        c.wait_links(*((n, 'transceive', False) for n in ('1997', '1998', '1999')))
        equal(['3', '70', '3', '980', '3'], [e['code'] for e in c.events.of('function')], 'functions')


@test
def a_number_of_a_thousand_digits_is_refused_everywhere():
    with Conference() as c:
        rpt, call = c.rpt['1999'], c.calls_us('1999')
        wait_until(lambda: rpt.of(call).nodes is not None, 5, 'the link')
        with open(c.node.process.log, encoding='utf-8') as f:
            before = f.read()
        endless = '7' * 1000
        for words in (('connect', endless), ('connect', endless, '--permanent'), ('lookup', endless),
                      ('disconnect', endless), ('function', '*3' + endless), ('command', endless, '*70'),
                      ('message', endless, 'hello')):
            done = c.node.console(*words)
            equal(1, done.returncode, words[0])
            true(0 < len(done.stderr) < 300, f'{words[0]}: {done.stderr[:400]}')
        for text in (f'T {endless} COMPLETE', f'D 2001 {endless} 0 1', f'M {endless} 0 hello', f'K? {endless} 1999 0 0',
                     f'L T{endless}', f'G {endless} 1N 2W 3M'):
            rpt.say(call, text)
        malformed = {'telemetry': 1, 'digit': 1, 'message': 1, 'ask': 1, 'list': 1, 'gps': 1}
        wait_until(lambda: {k: v for k, v in c.node.status()['text']['malformed'].items() if v} == malformed, 5,
                   'all to be counted')
        equal([('1999', 'transceive', False)], c.links(), 'links')
        with open(c.node.process.log, encoding='utf-8') as f:
            equal('', f.read().removeprefix(before), 'the log')


@test
def what_others_tell_is_said_when_the_telemetry_mode_says_so():
    with Conference(telemetry={'announce': 'on', 'wpm': 60}, id={'interval_s': 0}) as c:
        rpt, call = c.rpt['1999'], c.calls_us('1999')
        wait_until(lambda: c.said() == 1, 10, 'the link to be announced')
        # Nobody has dialled here.
        rpt.say(call, 'T 1999 CONNECTED,1999,3000')
        c.events.wait('told', 2)
        c.digits('*980')
        wait_until(lambda: c.said() == 2, 20, 'the version')
        rpt.say(call, 'T 1999 CONNECTED,1999,3001')
        wait_until(lambda: c.said() == 3, 20, 'what the node tells')
        # What is about us, nothing for the air, or none that is known.
        for text in ('CONNECTED,2001,1999', 'STATS_GPS,1999,1,2,3', 'CONNECTED,1999,=LONG'):
            rpt.say(call, 'T 1999 ' + text)
        c.events.wait('told', 6)
        true(len(c.node.ptt_edges()) >= 4, 'it is transmitted')
        equal(3, c.said(), 'said')


@test
def without_a_radio_a_node_is_a_hub_or_a_parrot_and_its_program_hears_of_it():
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, 'program')
        with open(program, 'w', encoding='ascii') as f:
            f.write(f'#!/bin/sh\ncat >{folder}/new.$$ && mv {folder}/new.$$ {folder}/event.$$\n')
        os.chmod(program, 0o755)
        with Conference(radio={'type': 'none'}, hooks={'program': program}, jitter={'min_ms': 200}) as c:
            wav = sweep(os.path.join(c.lab.dir, 'sweep.wav'))
            one, other = c.calls_us('1998'), c.calls_us('1999')
            wait_until(lambda: len(c.links()) == 2, 5, 'the links')

            def hears(call, before, what):
                """What node 1998 says arrives at a call."""
                call.wait(what, lambda: call.count(iax2.CONTROL, iax2.C_UNKEY) > before, 15)
                got = write_heard(os.path.join(c.lab.dir, 'heard.wav'), call.heard, 0)
                between(CLEAN_DB, snr(wav, got)['snr_db'], 200, f'{what}, dB')

            c.rpt['1998'].talk(one, frames(wav))
            hears(other, 0, 'what one says, at the other')
            equal([], one.heard, 'voice of the hub at who spoke')
            # A parrot says it to who said it.
            c.digits('*921')
            c.rpt['1998'].talk(one, frames(wav))
            hears(one, 0, 'what it said itself')
            c.digits('*922')

            def events():
                told = []
                for name in os.listdir(folder):
                    if name.startswith('event.'):
                        with open(os.path.join(folder, name), encoding='utf-8') as f:
                            told.append(json.load(f))
                return told

            want = {('link_up', '1998'), ('link_up', '1999'), ('function', '921'), ('function', '922')}
            wait_until(lambda: want <= {(e['event'], e.get('node') or e.get('code')) for e in events()}, 10,
                       f'{want}')
            equal({'2001'}, {e['node_number'] for e in events()}, 'whose program it is')


if __name__ == '__main__':
    main(missing())
