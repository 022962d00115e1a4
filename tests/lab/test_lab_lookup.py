# SPDX-License-Identifier: MIT
"""Where a node is, by its number: the peers, DNS, the extnodes file and the
registrar; with name servers that are there, are not, are slow, or are not who
they seem."""

import json
import os
import sys
import time

from asterisk import Asterisk
from dnsd import DOMAIN, HEADER, Dns, Scripted, missing_dns, service, srv_answer
from lab import Lab, wait_until
from sound import sweep
from stations import Node, Registrar
from tap import between, equal, main, test, true
from weblab import Authority, Web

PORT = 4600
NOBODY = '198.51.100.99'


class Scene:
    """Node 2001, peers that take calls without proof, and a zone.

    It ends well only when the node does: with status 0, so without a
    sanitizer's complaint.
    """

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

    def peer(self, number, name='pbx', port=PORT, family=4):
        return self.lab.stack.enter_context(
            Asterisk(self.lab.host(name), number, port=port, family=family))

    def node(self, registrar=None, **more):
        if self.dns:
            more.setdefault('lookup', {'domain': DOMAIN, 'resolvers': [self.dns.addr]})
        node = self.node_made = Node(self.lab, self.lab.host('node'), '2001', registrar, **more)
        wait_until(node.status, 10, 'the node to start')
        return node


def said(node, number):
    """What each source says, by its name; and which one a dial would take."""
    done = node.console('--json', 'lookup', number)
    equal(0, done.returncode, f'lookup {number}: {done.stderr}')
    answer = json.loads(done.stdout)
    return {s['source']: s for s in answer['sources']}, answer['found']


def counters(node):
    return node.status()['lookup']


@test
def a_service_record_names_host_and_port():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT, host=f'hub.{DOMAIN}')
        scene.dns.start()
        node = scene.node()
        sources, found = said(node, '2000')
        equal('dns', found, 'found by')
        equal([f'{pbx.addr}:{PORT}'], sources['dns']['addresses'], 'addresses')
        equal(f'hub.{DOMAIN}', sources['dns']['host'], 'host')
        between(50, sources['dns']['left_s'], 60, 'seconds that it is kept')
        equal('not there', sources['nodes']['state'], 'the peers')
        got = node.connect('2000')
        equal(f'{pbx.addr}:{PORT}', got['link']['peer'], 'where it calls')
        equal('direct', got['path'], 'path')
        text = node.console('lookup', '2000').stdout
        true(f'* dns        found: {pbx.addr}:{PORT}' in text, f'for people: {text}')


@test
def without_a_service_record_the_address_is_called_at_4569():
    with Scene() as scene:
        four, six = scene.peer('2000', port=4569), scene.peer('2006', 'six', 4569, family=6)
        scene.dns.address(f'2000.nodes.{DOMAIN}', four.addr)
        scene.dns.address(f'2006.nodes.{DOMAIN}', six.addr)
        scene.dns.start()
        node = scene.node()
        equal(f'{four.addr}:4569', node.connect('2000')['link']['peer'], 'IPv4')
        equal(f'[{six.addr}]:4569', node.connect('2006')['link']['peer'], 'IPv6')


@test
def what_has_a_service_and_both_families_is_called_by_one_of_them():
    with Scene() as scene:
        six = scene.peer('2006', 'six', family=6)
        scene.dns.node('2006', six.addr, PORT)
        scene.dns.address(f'2006.nodes.{DOMAIN}', NOBODY)
        scene.dns.start()
        node = scene.node(iax2={'bind4': ''})
        equal(f'[{six.addr}]:{PORT}', node.connect('2006')['link']['peer'], 'a node of IPv6 alone')


@test
def a_number_that_nobody_knows_is_asked_for_once():
    with Scene() as scene:
        scene.dns.node('2000', NOBODY, PORT)
        scene.dns.start()
        node = scene.node()
        status, why, _ = node.refused('2999')
        equal(1, status, 'exit')
        equal('keyhole: nobody knows node 2999 (nodes: it is not listed; dns: there is no such name)',
              why, 'why')
        before = counters(node)
        equal((1, 2), (before['absent'], before['questions']), 'counted')
        node.refused('2999')
        equal(before['questions'], counters(node)['questions'], 'questions of the second dial')
        equal(1, scene.dns.asked(service('2999')), 'questions that arrived')
        # Numbers of another length are nobody's business.
        node.refused('299')
        equal(0, scene.dns.asked(service('299')), 'questions for a short number')


@test
def the_next_resolver_is_asked_when_one_is_dead():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT)
        scene.dns.start()
        node = scene.node(lookup={'domain': DOMAIN, 'resolvers': [NOBODY, f'{scene.dns.addr}:53']})
        began = time.monotonic()
        equal(f'{pbx.addr}:{PORT}', node.connect('2000')['link']['peer'], 'where it calls')
        between(1, time.monotonic() - began, 5, 'seconds')


@test
def with_no_resolver_alive_the_next_source_is_asked():
    with Scene() as scene:
        pbx = scene.peer('2000')
        path = os.path.join(scene.lab.dir, 'extnodes')
        with open(path, 'w', encoding='ascii') as f:
            f.write(f'2000=radio@{pbx.addr}:{PORT}/2000,{pbx.addr}\n')
        node = scene.node(lookup={'domain': DOMAIN, 'resolvers': [NOBODY], 'extnodes': path})
        began = time.monotonic()
        equal(f'{pbx.addr}:{PORT}', node.connect('2000', 20)['link']['peer'], 'where it calls')
        between(1, time.monotonic() - began, 9, 'seconds')
        findings = node.doctor()[1]['lookup']
        equal(['warn', 'ok'], [f['state'] for f in findings],
              f'what the doctor says of DNS and of the file: {findings}')
        sources, found = said(node, '2000')
        equal(('extnodes', 'failed'), (found, sources['dns']['state']), 'what they say')


@test
def a_slow_resolver_does_not_touch_a_call():
    def late(server, data, where):
        time.sleep(0.3)
        name = f'2000.nodes.{DOMAIN}'
        server.sock.sendto(srv_answer(data, PORT, name), where)
    with Scene(zone=False) as scene:
        slow = Scripted(scene.lab, late)
        pbx = scene.peer('1999')
        node = scene.node(lookup={'domain': DOMAIN, 'resolvers': [slow.addr]},
                          peers=[{'number': '1999', 'host': pbx.addr, 'port': PORT}])
        node.connect('1999')
        call = pbx.calls[0]
        wav = sweep(os.path.join(scene.lab.dir, 'sweep.wav'), 4)
        before = node.status()['radio']['missed_beats']
        node.play(wav)
        wait_until(lambda: call.heard, 5, 'the voice')
        for number in range(3000, 3008):
            node.console('connect', str(number))
        wait_until(lambda: len(call.heard) > 150, 8, 'the rest of the voice')
        true(len(slow.asked) >= 5, f'the resolver was asked: {slow.asked}')
        stamps = [ts for ts, _, _ in call.heard[:150]]
        equal(20 * 149, stamps[-1] - stamps[0], 'milliseconds of voice in 150 frames')
        # Each answer takes 15 beats, of which one that waits for it makes up for 5.
        between(0, node.status()['radio']['missed_beats'] - before, 5 * len(slow.asked), 'beats that were missed')


@test
def only_who_was_asked_is_believed():
    tried = []

    def surrounded(server, data, where):
        """Answers of others come before the true one."""
        good, evil = f'good.{DOMAIN}', f'evil.{DOMAIN}'
        number = HEADER.unpack_from(data)[0]
        if not name_of_srv(data):
            return
        for sock in (beside, elsewhere):
            sock.sendto(srv_answer(data, PORT, evil), where)
        for other in range(1, 200):
            server.sock.sendto(srv_answer(data, PORT, evil, ident=(number + other) & 0xffff), where)
        server.sock.sendto(srv_answer(data, PORT, evil, name=service('2666')), where)
        tried.append(where)
        time.sleep(0.2)
        server.sock.sendto(srv_answer(data, PORT, good), where)

    with Scene(zone=False) as scene:
        server = Scripted(scene.lab, surrounded)
        beside = server.host.socket(0)
        elsewhere = scene.lab.host('elsewhere').socket(53)
        node = scene.node(lookup={'domain': DOMAIN, 'resolvers': [server.addr]})
        sources, _ = said(node, '2000')
        true(tried, 'it was asked')
        # Its address nobody tells; whose it would have been is what counts.
        equal(f'good.{DOMAIN}', sources['dns']['host'], 'host')


def name_of_srv(data):
    return b'\x04_iax\x04_udp' in data


@test
def the_extnodes_file_is_read_again_when_it_changes():
    with Scene(zone=False) as scene:
        pbx = scene.peer('2000')
        path = os.path.join(scene.lab.dir, 'extnodes')

        def write(port):
            with open(path + '.new', 'w', encoding='ascii') as f:
                f.write(f'[extnodes]\n\n2000=radio@{pbx.addr}:{port}/2000,{NOBODY}\nrubbish\n')
            os.rename(path + '.new', path)
        write(1)
        node = scene.node(lookup={'extnodes': path})
        wait_until(lambda: (counters(node)['extnodes'] or {})['nodes'] == 1, 5, 'the file to be read')
        equal((1, None), (counters(node)['extnodes']['bad_lines'],
                          counters(node)['extnodes']['trouble']), 'bad lines, trouble')
        sources, found = said(node, '2000')
        equal(('extnodes', [f'{pbx.addr}:1'], f'{NOBODY}:1'),
              (found, sources['extnodes']['addresses'], sources['extnodes']['from']), 'found')
        write(PORT)
        wait_until(lambda: said(node, '2000')[0]['extnodes']['addresses'] == [f'{pbx.addr}:{PORT}'],
                   10, 'the change to be seen')
        equal(f'{pbx.addr}:{PORT}', node.connect('2000')['link']['peer'], 'where it calls')
        # What was read last holds.
        os.unlink(path)
        wait_until(lambda: counters(node)['extnodes']['trouble'], 10, 'the loss to be told')
        equal('extnodes', said(node, '2000')[1], 'found by')


class Lists(Web):
    """Hands a list of nodes out, or does what script(request) does instead."""

    def __init__(self, lab, text=''):
        site = lab.host('lists')
        self.authority = Authority(lab)
        self.text, self.script = text, None
        self.asked = []  # paths
        self.url = f'https://{site.addr4}/gennodes.php'
        super().__init__(site, 443, self.authority.give('lists', site.addr4))
        lab.stack.callback(self.__exit__)

    def on_get(self, request):
        self.asked.append(request.path)
        if self.script:
            self.script(request)
        else:
            request.reply(200, self.text)


def fetching(scene, lists, path):
    return scene.node(lookup={'extnodes': path, 'extnodes_url': lists.url},
                      https={'ca_file': lists.authority.cert})


def fetched(node):
    return (counters(node)['extnodes'] or {})['fetch']


@test
def the_extnodes_file_is_fetched():
    with Scene(zone=False) as scene:
        pbx = scene.peer('2000')
        path = os.path.join(scene.lab.dir, 'extnodes')
        lists = Lists(scene.lab, f'[extnodes]\n2000=radio@{pbx.addr}:{PORT}/2000,{pbx.addr}\n')
        node = fetching(scene, lists, path)
        wait_until(lambda: fetched(node)['stored'] == 1, 10, 'the file to be fetched')
        wait_until(lambda: counters(node)['extnodes']['nodes'] == 1, 10, 'the file to be read')
        with open(path, encoding='ascii') as f:
            equal(lists.text, f.read(), 'the file')
        equal(f'{pbx.addr}:{PORT}', node.connect('2000')['link']['peer'], 'where it calls')
        # Who is started again has what it fetched.
        node.stop()
        node.start()
        wait_until(lambda: node.status() and counters(node)['extnodes']['nodes'] == 1, 10, 'the file again')
        equal((0, ['/gennodes.php']), (fetched(node)['asked'], lists.asked), 'asked in all')


def pouring(sent, says_so):
    def pour(request):
        request.send_response(200)
        if says_so:
            request.send_header('Content-Length', str(100_000_000))
        request.end_headers()
        chunk = b'2666=radio@192.0.2.66:4569/2666,192.0.2.66\n' * 1500
        try:
            while sum(sent) < 100_000_000:
                request.wfile.write(chunk)
                sent.append(len(chunk))
        except OSError:
            pass
    return pour


@test
def what_is_no_list_leaves_the_file_as_it_was():
    with Scene(zone=False) as scene:
        path = os.path.join(scene.lab.dir, 'extnodes')
        line = f'2000=radio@{NOBODY}:{PORT}/2000,{NOBODY}\n'
        told, poured = [], []
        lists = Lists(scene.lab)
        node = None
        for script, why, cut in (
                (pouring(told, True), 'longer than', 1),
                (pouring(poured, False), 'longer than', 1),
                (lambda r: r.reply(200, '<html>\n<b>no database</b>\n'), 'not what the file should be', 0),
                (lambda r: r.reply(200, ''), 'not what the file should be', 0),
                (lambda r: r.reply(302, line, [('Location', lists.url)]), 'HTTP 302', 0),
                (lambda r: r.reply(503, line), 'HTTP 503', 0)):
            with open(path, 'w', encoding='ascii') as f:
                f.write(line)
            os.utime(path, (0, 0))
            lists.script = script
            if node:
                node.start()
            else:
                node = fetching(scene, lists, path)
            wait_until(lambda: node.status() and fetched(node)['failed'] == 1, 20, why)
            true(why in fetched(node)['trouble'], fetched(node)['trouble'])
            equal((1, 0, cut), tuple(fetched(node)[k] for k in ('asked', 'stored', 'cut')), why)
            equal('extnodes', said(node, '2000')[1], 'found by')
            with open(path, encoding='ascii') as f:
                equal(line, f.read(), 'the file')
            equal(['extnodes'], [x for x in os.listdir(scene.lab.dir) if x.startswith('extnodes')], 'files')
            node.stop()
            with open(node.process.log, encoding='ascii', errors='replace') as f:
                equal(1, sum('is not fetched' in x for x in f), 'lines in the log')
        true(sum(told) < 1_000_000, f'{sum(told)} octets of what said that it is too long')
        true(sum(poured) < 30_000_000, f'{sum(poured)} octets of what did not')


@test
def the_registrar_is_asked_when_nobody_else_knows():
    with Scene() as scene:
        scene.dns.node('2000', NOBODY, PORT)
        scene.dns.start()
        registrar = Registrar(scene.lab, scene.lab.host('registrar'))
        node = scene.node(registrar)
        other = Node(scene.lab, scene.lab.host('other'), '2002', registrar)
        node.wait_registered()
        other.wait_registered()
        got = node.connect('2002')
        equal(f'{other.host.addr4}:4569', got['link']['peer'], 'where it calls')
        equal('opened', got['path'], 'path')
        sources, found = said(node, '2002')
        equal(('registrar', 'not there'), (found, sources['dns']['state']), 'what they say')


@test
def what_the_registrar_does_not_know_is_looked_for_elsewhere():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', pbx.addr, PORT)
        scene.dns.node('2002', NOBODY, PORT)
        scene.dns.start()
        registrar = Registrar(scene.lab, scene.lab.host('registrar'))
        node = scene.node(registrar, lookup={
            'domain': DOMAIN, 'resolvers': [scene.dns.addr], 'order': ['registrar', 'nodes', 'dns']})
        other = Node(scene.lab, scene.lab.host('other'), '2002', registrar)
        node.wait_registered()
        other.wait_registered()
        equal('opened', node.connect('2002')['path'], 'path to one that the registrar knows')
        equal(f'{pbx.addr}:{PORT}', node.connect('2000')['link']['peer'], 'one that DNS knows')
        equal((1, 'keyhole: nobody knows node 2999 (registrar: it is not known there; nodes: it is not '
               'listed; dns: there is no such name)'), node.refused('2999')[:2], 'one that nobody knows')
        # The same when it cannot be asked, also of a link that is to last.
        node.console('disconnect', '--all')
        registrar.process.terminate()
        registrar.process.wait(10)
        node.console('connect', '2000', '--permanent')
        wait_until(lambda: [x['peer'] for x in node.links() if x['state'] == 'up'] ==
                   [f'{pbx.addr}:{PORT}'], 60, 'a permanent link without the registrar')


@test
def a_pattern_among_the_peers_is_enough():
    with Scene(zone=False) as scene:
        pbx, other = scene.peer('1234'), scene.peer('1300', 'other')
        node = scene.node(peers=[{'number': '1*', 'host': pbx.addr, 'port': PORT},
                                 {'number': '1300', 'host': other.addr, 'port': PORT}])
        equal(f'{pbx.addr}:{PORT}', node.connect('1234')['link']['peer'], 'by its pattern')
        equal(f'{other.addr}:{PORT}', node.connect('1300')['link']['peer'], 'by its number')
        equal(1, node.refused('2222')[0], 'exit for one that does not match')


@test
def a_permanent_link_follows_its_node():
    with Scene() as scene:
        pbx = scene.peer('2000')
        scene.dns.node('2000', NOBODY, PORT)
        scene.dns.start()
        node = scene.node()
        node.console('connect', '2000', '--permanent')
        wait_until(lambda: node.links() and node.links()[0]['state'] in ('calling', 'waiting'), 5,
                   'the first try')
        scene.dns.lines = []
        scene.dns.node('2000', pbx.addr, PORT)
        scene.dns.again(*scene.dns.lines)
        wait_until(lambda: [x['peer'] for x in node.links() if x['state'] == 'up'] ==
                   [f'{pbx.addr}:{PORT}'], 30, 'the link to the new address')


@test
def a_reload_changes_where_is_looked():
    with Scene(zone=False) as scene:
        pbx = scene.peer('2000')
        dns = Dns(scene.lab)
        dns.node('2000', pbx.addr, PORT)
        dns.start()
        node = scene.node(lookup={'domain': ''})
        equal(1, node.refused('2000')[0], 'exit without a domain')
        with open(node.conf, encoding='ascii') as f:
            text = f.read()
        with open(node.conf, 'w', encoding='ascii') as f:
            f.write(text.replace('domain = "";',
                                 f'domain = "{DOMAIN}"; resolvers = [ "{dns.addr}" ];'))
        equal(0, node.console('reload').returncode, 'reload')
        equal(f'{pbx.addr}:{PORT}', node.connect('2000')['link']['peer'], 'where it calls')


if __name__ == '__main__':
    main(missing_dns())
