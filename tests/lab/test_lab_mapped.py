# SPDX-License-Identifier: MIT
"""A router that drops what was not asked for, and opens the node's port when
the node asks: by PCP, NAT-PMP, UPnP.  The router's program is miniupnpd."""

import os
import time

from asterisk import Asterisk
from lab import missing, wait_until
from miniupnpd import Miniupnpd, missing_miniupnpd
from natpmp_router import NatPmpRouter
from pairs import SECRET, Events, Pair, secret_file
from sound import sweep
from stations import Node
from tap import Failed, between, equal, long_test, main, test, true

LIFETIME_S = 120  # the least that there is
GLOBAL = '203.0.114'  # miniupnpd opens nothing at an address of a documentation's


class Mapped(Pair):
    """A pair whose node is behind a router that asks to be asked."""

    def __init__(self, methods=('pcp', 'natpmp', 'upnp'), ipv6=False, upnpd=True, map=None):
        super().__init__()
        self._methods, self._ipv6, self._upnpd = methods, ipv6, upnpd
        self._map = map or {'lifetime_s': LIFETIME_S}

    def _make(self, codecs, registrar, pbx):
        lab = self.lab
        lab.internet.router_net = GLOBAL
        self.home = self._router()
        self.site = lab.host('node', self.home)
        self.pbx = lab.stack.enter_context(Asterisk(
            lab.host('pbx'), '1999', secret=SECRET, family=6 if self._ipv6 else 4))
        self.router = Miniupnpd(self.home, self._methods) if self._upnpd else None
        peer = {'number': '1999', 'secret_file': secret_file(lab)}
        self.node = Node(lab, self.site, '2001', None, peers=[peer],
                         map=self._map, jitter={'min_ms': 200},
                         **({'iax2': {'bind4': ''}} if self._ipv6 else {}))
        wait_until(self.node.status, 10, 'the node to start')
        self.events = Events(self.node)
        self.wav = sweep(os.path.join(lab.dir, 'sweep.wav'))

    def _router(self):
        return self.lab.router('home', firewall='drop', ipv6=self._ipv6)

    def map(self):
        """What the node says of the family's mapping."""
        return self.node.status()['reach']['mapped']['ipv6' if self._ipv6 else 'ipv4']

    def addr(self):
        return self.site.addr6 if self._ipv6 else self.home.addr4

    def external(self):
        return f'[{self.addr()}]:4569' if self._ipv6 else f'{self.addr()}:4569'

    def answers(self, port=4569):
        """To a POKE of a stranger's, with a PONG."""
        try:
            return self.pbx.poke(self.addr(), port, timeout_s=1) > 0
        except Failed:
            return False

    def is_mapped(self, by, timeout_s):
        m = wait_until(lambda: self.map()['external'] and self.map(), timeout_s, 'the mapping')
        equal(('mapped', by, self.external(), ''), (m['state'], m['method'], m['external'], m['why']),
              'the mapping')
        between(LIFETIME_S - 15, m['lifetime_s'], LIFETIME_S, 'its lifetime')
        equal('mapped', self.node.status()['reach']['rung'], 'the rung')
        true(self.router.rules(), 'the router has a rule')

    def called(self, **dial):
        call = self.pbx.dial(self.addr(), '2001', **dial).wait_state('up')
        self.is_up('in')
        return call

    def log(self):
        with open(self.node.process.log, encoding='utf-8') as f:
            return f.read()

    def goes(self):
        """The node ends in time and takes its rules with it."""
        began = time.monotonic()
        self.node.stop()
        between(0, time.monotonic() - began, 2, 'seconds to the end')
        equal([], self.router.rules(), "the router's rules")


def opens_lets_callers_in_and_closes(by, methods, **kind):
    with Mapped(methods, **kind) as pair:
        equal(False, pair.answers(), 'a stranger is answered')
        pair.router.start()
        pair.is_mapped(by, 40)
        equal(True, pair.answers(), 'a stranger is answered')
        pair.is_well(pair.called())
        line = [x for x in pair.node.console('status').stdout.splitlines() if x.startswith('mapped')]
        true(len(line) == 1 and f'{pair.external()} by {by}' in line[0], f'one line: {line}')
        pair.goes()


def is_renewed_and_made_again(by, methods, again_s):
    with Mapped(methods) as pair:
        pair.router.start()
        pair.is_mapped(by, 40)
        wait_until(lambda: pair.map()['lifetime_s'] < LIFETIME_S * 2 // 3, 60, 'time to pass')
        wait_until(lambda: pair.map()['lifetime_s'] > LIFETIME_S * 5 // 6, 60, 'the renewal')
        equal(1, pair.log().count('mapped: the router opened'), 'lines about it')
        pair.router.reboot()
        wait_until(pair.router.rules, again_s, 'the mapping to be made again')
        wait_until(pair.answers, 5, 'a stranger to be answered')
        pair.is_mapped(by, 5)
        pair.goes()


@test
def pcp_opens_the_port():
    opens_lets_callers_in_and_closes('PCP', ('pcp',))


@test
def natpmp_opens_the_port():
    opens_lets_callers_in_and_closes('NAT-PMP', ('natpmp',))


@test
def upnp_opens_the_port():
    opens_lets_callers_in_and_closes('UPnP', ('upnp',))


@test
def of_all_three_pcp_alone_maps():
    with Mapped() as pair:
        pair.router.start()
        pair.is_mapped('PCP', 40)
        time.sleep(5)  # for what must not come: another method's mapping
        equal(1, len([r for r in pair.router.rules() if 'dnat' in r]), f'translations: {pair.router.rules()}')
        pair.goes()


@test
def pcp_opens_an_ipv6_pinhole():
    opens_lets_callers_in_and_closes('PCP', ('pcp',), ipv6=True)


@test
def upnp_opens_an_ipv6_pinhole():
    opens_lets_callers_in_and_closes('UPnP', ('upnp',), ipv6=True)


@long_test
def by_pcp_it_is_renewed_and_made_again():
    is_renewed_and_made_again('PCP', ('pcp',), 15)


@long_test
def by_natpmp_it_is_renewed_and_made_again():
    is_renewed_and_made_again('NAT-PMP', ('natpmp',), 15)


@long_test
def by_upnp_it_is_renewed_and_made_again():
    # A router tells nobody that it started: the renewal makes it again.
    with Mapped(('upnp',)) as pair:
        pair.router.start()
        pair.is_mapped('UPnP', 40)
        pair.router.reboot()
        wait_until(pair.router.rules, LIFETIME_S // 2 + 20, 'the mapping to be made again')
        wait_until(pair.answers, 5, 'a stranger to be answered')
        pair.goes()


class Silent(Mapped):
    """Nobody answers at the router."""

    def __init__(self):
        super().__init__(upnpd=False)


@test
def a_router_that_opens_nothing_does_no_harm():
    with Silent() as pair:
        wait_until(lambda: pair.map()['state'] == 'refused', 40, 'the node to give up')
        true(pair.map()['why'], 'it says why')
        equal(1, pair.log().count('no port is open for callers'), 'sentences about it')
        pair.runs()
        began = time.monotonic()
        pair.node.stop()
        between(0, time.monotonic() - began, 2, 'seconds to the end')


class DoubleNat(Mapped):
    """The router's own address is one of the carrier's."""

    def _router(self):
        carrier = self.lab.router('carrier', firewall='drop', lan='carrier')
        return self.lab.router('home', carrier, firewall='drop')


@test
def a_router_behind_the_carriers_nat_is_told_apart():
    with DoubleNat(upnpd=False) as pair:
        granted = NatPmpRouter(pair.home)
        m = wait_until(lambda: pair.map()['external'] and pair.map(), 40, 'the mapping')
        equal(('private', 'NAT-PMP', f'{pair.home.addr4}:4569'), (m['state'], m['method'], m['external']),
              'the mapping')
        true("behind the carrier's NAT" in m['why'], f'it says why: {m}')
        true(pair.node.status()['reach']['rung'] != 'mapped', 'it is no rung')
        equal(1, pair.log().count('which is private'), 'sentences about it')
        pair.node.stop()
        equal({4569: 0}, granted.mapped, 'what is left of it')


@test
def a_router_that_will_not_behind_the_carriers_nat_does_no_harm():
    with DoubleNat() as pair:
        pair.router.start()
        m = wait_until(lambda: pair.map()['state'] == 'refused' and pair.map(), 40, 'the refusal')
        true(m['why'], 'it says why')
        equal([], pair.router.rules(), "the router's rules")
        pair.goes()


@test
def switched_off_it_asks_nobody():
    with Mapped(map={'enabled': False}) as pair:
        pair.router.start()
        time.sleep(4)  # for what must not come
        equal(('none', 'map.enabled is off'), (pair.map()['state'], pair.map()['why']), 'the mapping')
        equal(0, pair.router.log().count('request received') + pair.router.log().count('M-SEARCH'),
              'questions to the router')
        pair.goes()


@test
def another_router_of_another_network_is_asked_anew():
    with Mapped(('pcp',)) as pair:
        pair.router.start()
        pair.is_mapped('PCP', 40)
        pair.site.change_address()
        wait_until(lambda: 'is lost' in pair.log(), 20, 'the change to be seen')
        # The router keeps the first for the old address, until its life ends.
        m = wait_until(lambda: pair.map()['external'] and pair.map(), 5, 'the mapping')
        port = int(m['external'].rsplit(':')[-1])
        true(port != 4569, f'another port: {port}')
        wait_until(lambda: pair.answers(port), 5, 'a stranger to be answered')
        pair.node.stop()
        equal([], [r for r in pair.router.rules() if pair.site.addr4 in r], 'what is left of it')


if __name__ == '__main__':
    main(missing() or missing_miniupnpd())
