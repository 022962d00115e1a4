# SPDX-License-Identifier: MIT
"""Callers without a ticket, let in as AllStarLink's nodes let them in: by the
address of their number, as users, by the telephone portal's key and by a token
of the web transceiver."""

import base64
import os
import subprocess
import sys
import time

import iax2
from asterisk import Asterisk
from dnsd import DOMAIN, Dns, Scripted, missing_dns
from lab import Lab, wait_until
from pairs import SECRET, Events, secret_file
from stations import Node, Registrar
from tap import between, equal, main, test, true
from weblab import Authority, Web

PORT = 4569
RSA_RESULT = 0x11


class Scene:
    """Node 2001, which lets callers in by address, and a zone of DNS."""

    def __init__(self, zone=True):
        self.zone = zone
        self.node_made = None

    def __enter__(self):
        self.lab = Lab(delay_ms=5)
        self.lab.__enter__()
        self.dns = Dns(self.lab) if self.zone else None
        return self

    def __exit__(self, kind, value, trace):
        try:
            if not kind and self.node_made:
                self.node_made.stop()
                equal(0, self.node_made.process.returncode, "the node's exit status")
        except BaseException:
            kind, value, trace = sys.exc_info()
            raise
        finally:
            self.lab.__exit__(kind, value, trace)

    def peer(self, number, name='pbx', **more):
        return self.lab.stack.enter_context(Asterisk(self.lab.host(name), number, **more))

    def node(self, accept=None, **more):
        if self.dns:
            self.dns.start()
            more.setdefault('lookup', {'domain': DOMAIN, 'resolvers': [self.dns.addr]})
        node = self.node_made = Node(self.lab, self.lab.host('node'), '2001',
                                     accept={'by_address': True, **(accept or {})}, **more)
        wait_until(node.status, 10, 'the node to start')
        self.events = Events(node)
        return node

    def calls(self, pbx, number='2001', username='radio', **more):
        return pbx.dial(self.node_made.host.addr4, number, username=username, **more)

    def refused(self, call, why, calling, claimed=None):
        """The call is refused, and the console and the log say why."""
        call.wait_state('down', 8)
        equal(50, call.why.number(iax2.IE_CAUSECODE), 'CAUSECODE')
        said = self.events.wait('refused')[-1]
        equal((why, calling, f'{call.pbx.addr}:{call.pbx.port}', claimed),
              (said['why'], said['node'], said['peer'], said['claimed']), 'the refusal')
        line = f'refused a call from {calling} at {call.pbx.addr}:{call.pbx.port}: {why}'
        with open(self.node_made.process.log, encoding='utf-8', errors='replace') as f:
            true(line + (f', {claimed}' if claimed else '') + '\n' in f.read(), f'in the log: {line}')
        equal([], self.node_made.links(), 'links')


def named(name):
    return iax2.ies((iax2.IE_CALLING_NAME, name))


# --- by a key in DNS ----------------------------------------------------------

ZONE = 'club.example.org'


def keyed_node(scene, registrar, accept=None):
    """Node 2001, which is no client of the registrar but asks its DNS."""
    return scene.node({'by_address': False, 'by_dns_key': True, **(accept or {})},
                      lookup={'domain': ZONE, 'resolvers': [registrar.host.addr4]})


@test
def a_node_is_let_in_by_the_key_that_dns_has_of_its_number():
    with Scene(zone=False) as scene:
        lab = scene.lab
        registrar = Registrar(lab, lab.host('registrar'), dns={'port': 53, 'domain': ZONE})
        node = keyed_node(scene, registrar)
        peers = [{'number': '2001', 'host': node.host.addr4}]
        known = Node(lab, lab.host('known'), '2002', peers=peers)
        registrar.add('2002', known.key)
        asker = lab.host('asker')

        def record(number):
            return asker.run(['dig', f'@{registrar.host.addr4}', '+short', '+tries=1',
                              f'_keyhole.{number}.nodes.{ZONE}', 'TXT']).stdout

        wait_until(lambda: record('2002') == f'"key={known.key}"\n', 5, 'the record')
        known.connect('2001')
        equal(['2002'], [x['node'] for x in node.links()], 'links')
        # One whose number has no key, or another one; and one that has none itself.
        other = Node(lab, lab.host('other'), '2003', peers=peers)
        wait_until(other.status, 10, 'the node to start')
        equal(1, other.refused('2001')[0], 'exit')
        registrar.add('2003', known.key)
        wait_until(lambda: record('2003'), 5, 'the record')
        equal(1, other.refused('2001')[0], 'exit')
        known.console('disconnect', '--all')
        scene.calls(scene.peer('2002')).wait_state('down', 8)
        equal([], node.links(), 'links')
        unproved = 'accept.by_dns_key: it does not prove the key that DNS has of its number'
        equal([('2003', 'accept.by_dns_key: DNS has no key of its number'), ('2003', unproved), ('2002', unproved)],
              [(e['node'], e['why']) for e in scene.events.of('refused')], 'refusals')


@test
def who_has_no_key_in_dns_is_let_in_by_its_address():
    with Scene(zone=False) as scene:
        registrar = Registrar(scene.lab, scene.lab.host('registrar'), dns={'port': 53, 'domain': ZONE})
        pbx = scene.peer('2000')
        path = os.path.join(scene.lab.dir, 'extnodes')
        with open(path, 'w', encoding='ascii') as f:
            f.write(f'2000=radio@{pbx.addr}:{PORT}/2000,{pbx.addr}\n')
        scene.node({'by_dns_key': True}, lookup={'domain': ZONE, 'resolvers': [registrar.host.addr4],
                                                 'extnodes': path})
        wait_until(lambda: scene.node_made.status()['lookup']['extnodes']['nodes'] == 1, 5, 'the file')
        scene.calls(pbx).wait_state('up')


# --- by address ---------------------------------------------------------------

@test
def a_node_calls_from_where_its_number_is():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, 4600)  # the port is not compared
        node = scene.node()
        call = scene.calls(pbx).wait_state('up')
        equal('2000', node.links()[0]['node'], 'link')
        wait_until(lambda: any(b'!NEWKEY1!' in t for t in call.texts), 2, 'its first word')
        equal([], scene.events.of('refused'), 'refusals')


@test
def a_node_that_calls_from_elsewhere_is_refused():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', '198.51.100.99', PORT)
        scene.node()
        scene.refused(scene.calls(pbx), 'accept.by_address: its number is at another address', '2000',
                      f'198.51.100.99:{PORT}')


@test
def a_number_that_nobody_knows_is_refused():
    with Scene() as scene:
        pbx = scene.peer('2999')
        scene.node()
        scene.refused(scene.calls(pbx), 'accept.by_address: nobody knows node 2999 (nodes: it is not '
                      'listed; dns: there is no such name)', '2999')


@test
def a_dead_name_server_lets_nobody_wait_for_long():
    with Scene(zone=False) as scene:
        pbx = scene.peer('2000')
        silent = Scripted(scene.lab, lambda *_: None)
        scene.node(lookup={'domain': DOMAIN, 'resolvers': [silent.addr]})
        began = time.monotonic()
        call = scene.calls(pbx)
        scene.refused(call, 'accept.by_address: nobody knows node 2000 (nodes: it is not listed; dns: '
                      'Timeout while contacting DNS servers)', '2000')
        between(1, time.monotonic() - began, 5, 'seconds until it is refused')


@test
def private_numbers_are_those_of_the_file_of_peers():
    with Scene() as scene:
        pbx, other = scene.peer('1998'), scene.peer('1997', 'other')
        scene.dns.node('1997', other.addr, PORT)
        scene.node(peers=[{'number': '1998', 'host': pbx.addr}])
        scene.refused(scene.calls(other), 'accept.by_address: its number is a private one, and not in '
                      'peers', '1997', f'{other.addr}:{PORT}')
        scene.calls(pbx).wait_state('up')


@test
def the_lists_come_first():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT)
        scene.node({'deny': ['2000']})
        scene.refused(scene.calls(pbx), 'accept.deny', '2000')
        equal(0, scene.dns.asked(f'_iax._udp.2000.nodes.{DOMAIN}'), 'questions')


@test
def who_calls_again_is_taken_anew():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT)
        node = scene.node()
        first = scene.calls(pbx).wait_state('up')
        began = time.monotonic()
        second = scene.calls(pbx).wait_state('up')
        between(0.45, time.monotonic() - began, 1.5, 'seconds until it is taken')
        equal('down', first.state, 'the first call')
        equal(('up', 1), (second.state, len(node.links())), 'the second, and links')
        true(not any(b'DISCONNECT' in t for t in first.texts), 'silently')


@test
def where_it_is_off_nothing_is_asked():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT)
        scene.node({'by_address': False})
        scene.refused(scene.calls(pbx), 'accept.by_address is off, and it has no key or secret in peers',
                      '2000')


@test
def a_node_of_the_network_is_called_as_user_radio():
    with Scene() as scene:
        pbx, known = scene.peer('2000'), scene.peer('1998', 'known', secret=SECRET)
        scene.dns.node('2000', pbx.addr, PORT)
        node = scene.node(peers=[{'number': '1998', 'host': known.addr,
                                  'secret_file': secret_file(scene.lab)}])
        for peer, user in ((pbx, 'radio'), (known, '2001')):
            node.connect(peer.number)
            equal(user, peer.wait_call().new.text(iax2.IE_USERNAME), f'USERNAME for {peer.number}')


# --- users --------------------------------------------------------------------

@test
def a_user_is_let_in_by_its_secret_and_called_by_its_callsign():
    with Scene(zone=False) as scene:
        pbx = scene.peer('0')
        node = scene.node({'users': [{'name': 'alice', 'callsign': 'W1AW',
                                      'secret_file': secret_file(scene.lab)}]})
        bad = scene.calls(pbx, username='alice', secret='wrong')
        scene.refused(bad, 'accept.users: it does not know the secret', '0')
        call = scene.calls(pbx, username='alice', secret=SECRET).wait_state('up')
        equal('W1AW', node.links()[0]['node'], 'link')
        time.sleep(1)
        equal([], call.texts, 'texts')


# --- the telephone portal -----------------------------------------------------

class Portal:
    """Its key, and a call that answers challenges with it."""

    def __init__(self, lab):
        self.private = os.path.join(lab.dir, 'portal.key')
        self.public = os.path.join(lab.dir, 'portal.pub')
        subprocess.run(['openssl', 'genrsa', '-out', self.private, '1024'], check=True, capture_output=True)
        subprocess.run(['openssl', 'rsa', '-in', self.private, '-pubout', '-out', self.public],
                       check=True, capture_output=True)

    def sign(self, challenge):
        done = subprocess.run(['openssl', 'dgst', '-sha1', '-sign', self.private],
                              input=challenge.encode(), check=True, capture_output=True)
        return base64.b64encode(done.stdout)

    def answers(self, call):
        """The next AUTHREQ of a call is answered so."""
        plain = call.handle

        def handle(f):
            if f.is_iax(iax2.AUTHREQ):
                call.iax(iax2.AUTHREP, (RSA_RESULT, self.sign(f.text(iax2.IE_CHALLENGE))))
            else:
                plain(f)
        call.handle = handle
        return call


@test
def a_telephone_is_let_in_by_its_portals_key():
    with Scene(zone=False) as scene:
        portal = Portal(scene.lab)
        pbx = scene.peer('2025550100')
        node = scene.node({'portal_key_file': portal.public})
        with pbx.lock:
            call = portal.answers(scene.calls(pbx, '32001', 'allstar-sys', extra=named('W1AW')))
        call.wait_state('up')
        equal('W1AW', node.links()[0]['node'], 'link')
        call.hangup()
        wait_until(lambda: not node.links(), 3, 'the link to end')
        with pbx.lock:
            other = Portal(scene.lab).answers(scene.calls(pbx, '32001', 'allstar-sys',
                                                          extra=named('W1AW')))
        scene.refused(other, "accept.portal_key_file: its signature is not the portal's", '2025550100')


# --- the web transceiver ------------------------------------------------------

class Tokens(Web):
    """Who has which token; or script(request)."""

    def __init__(self, site, pem, tokens):
        self.tokens, self.asked, self.script = tokens, [], None
        super().__init__(site, 443, pem)

    def on_get(self, request):
        self.asked.append(request.path)
        if self.script:
            self.script(request)
            return
        sign = self.tokens.get(request.path.partition('?')[2])
        request.reply(200, f'OHYES{sign}\n' if sign else '?\n')


class WebScene(Scene):
    """The node asks a server whose tokens are."""

    def __init__(self):
        super().__init__(zone=False)

    def __enter__(self):
        super().__enter__()
        site, authority = self.lab.host('web'), Authority(self.lab)
        self.web = self.lab.stack.enter_context(
            Tokens(site, authority.give('web', site.addr4), {'0a1b2c': 'W1AW'}))
        self.pbx = self.peer('2001')
        self.node({'web_url': f'https://{site.addr4}/cgi-bin/authwebphone.pl'},
                  https={'ca_file': authority.cert})
        return self

    def transceiver(self, token):
        return self.calls(self.pbx, 's', 'allstar-public', calling='2001', secret='allstar',
                          extra=named(token))


@test
def a_web_user_is_let_in_by_its_token():
    with WebScene() as scene:
        scene.transceiver('0a1b2c').wait_state('up')
        equal('W1AW', scene.node_made.links()[0]['node'], 'link')
        equal(['/cgi-bin/authwebphone.pl?0a1b2c'], scene.web.asked, 'asked')


@test
def a_token_that_is_nobodys_is_refused():
    with WebScene() as scene:
        scene.refused(scene.transceiver('ffff'), "accept.web_url: its token is nobody's", '2001')
        # What is no token does not get so far.
        scene.transceiver('ffff&x=1').wait_state('down', 5)
        equal(1, len(scene.web.asked), 'questions')


@test
def a_web_server_that_does_not_answer_lets_nobody_in():
    with WebScene() as scene:
        scene.web.script = lambda request: time.sleep(6)
        scene.refused(scene.transceiver('0a1b2c'),
                      'accept.web_url: nobody said in time whose its token is', '2001')


@test
def nor_does_one_that_says_too_much():
    with WebScene() as scene:
        scene.web.script = lambda request: request.reply(200, 'OHYESW1AW' + ' ' * 20000)
        scene.refused(scene.transceiver('0a1b2c'),
                      'accept.web_url: that web server does not answer as it should', '2001')


if __name__ == '__main__':
    main(missing_dns())
