# SPDX-License-Identifier: MIT
"""Functions by digits in a conference with scripted nodes of AllStarLink's kind:
what they do to links, what others are told, and what of theirs is heard on our
air."""

from app_rpt import AppRpt
from asterisk import Asterisk
from lab import Lab, missing, wait_until
from pairs import SECRET, Events, secret_file
from stations import Node
from tap import equal, main, test, true


class Conference:
    """Node 2001, which knows scripted nodes 1997 to 1999."""

    def __init__(self, **more):
        self.more = more

    def __enter__(self):
        self.lab = Lab(delay_ms=5)
        self.lab.__enter__()
        lab, secret = self.lab, secret_file(self.lab)
        self.pbx, self.rpt = {}, {}
        for number in ('1997', '1998', '1999'):
            self.pbx[number] = lab.stack.enter_context(Asterisk(lab.host('at' + number), number, secret=SECRET))
            self.rpt[number] = AppRpt(self.pbx[number])
        peers = [{'number': number, 'host': pbx.addr, 'secret_file': secret} for number, pbx in self.pbx.items()]
        self.node = Node(lab, lab.host('node'), '2001', peers=peers, **self.more)
        wait_until(self.node.status, 10, 'the node to start')
        self.events = Events(self.node)
        return self

    def __exit__(self, kind, value, trace):
        self.lab.__exit__(kind, value, trace)

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


if __name__ == '__main__':
    main(missing())
