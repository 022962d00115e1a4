# SPDX-License-Identifier: MIT
"""Registration by HTTPS as AllStarLink has it: keyholed with a scripted
registrar and with ours, and plain clients with ours."""

import json
import os
import shutil
import time

from asterisk import Asterisk
from lab import Lab, missing, wait_until
from pairs import SECRET, secret_file
from sound import sweep
from stations import REGISTRAR, Node, Registrar, second_address
from tap import between, equal, long_test, main, test, true
from weblab import AslRegistrar, Authority, Stats

PORT = 4569
CLUB = {'2001': SECRET, '2002': 'other'}


def registrar_of(node, i=0):
    status = node.status() or {}
    return (status.get('registrars') or [{}])[i]


def entry(site, secret, https='only', **more):
    return {'host': site.addr4, 'port': PORT, 'secret_file': secret, 'https': https, **more}


class Scene:
    """A scripted registrar of AllStarLink's kind, and a node that knows its password."""

    def __init__(self, https='only', secret=SECRET, nat=None, pem_for=None, trusted=True,
                 start=True, iax2=False, **more):
        self.https, self.secret, self.nat, self.pem_for = https, secret, nat, pem_for
        self.trusted, self.start, self.iax2, self.more = trusted, start, iax2, more

    def __enter__(self):
        self.lab = Lab(delay_ms=10)
        self.lab.__enter__()
        self.pbx_site = self.lab.host('asl')
        self.site = self.lab.host('home', upstream=self.lab.router('carrier', nat=self.nat)
                                  if self.nat else None)
        self.authority = Authority(self.lab)
        other = self.authority if self.trusted else Authority(self.lab, 'nobody')
        self.asl = AslRegistrar(self.pbx_site, other.give('asl', self.pem_for or self.pbx_site.addr4),
                                CLUB, **self.more)
        self.pbx = None
        if self.iax2:
            self.pbx = Asterisk(self.pbx_site, 'asl')
            self.pbx.clients.update(CLUB)
        self.node = Node(self.lab, self.site, '2001', start=self.start,
                         https={'ca_file': self.authority.cert},
                         registrars=[entry(self.pbx_site, secret_file(self.lab, self.secret),
                                           self.https)])
        return self

    def __exit__(self, kind, value, trace):
        self.asl.__exit__(kind, value, trace)
        if self.pbx:
            self.pbx.__exit__(kind, value, trace)
        self.lab.__exit__(kind, value, trace)

    def registrar(self):
        return registrar_of(self.node)

    def wait_state(self, state, timeout_s=10):
        wait_until(lambda: self.registrar().get('state') == state, timeout_s, f'state {state}')

    def wait_why(self, words, timeout_s=10):
        wait_until(lambda: words in (self.registrar().get('why') or ''), timeout_s,
                   f'the reason "{words}"')


@test
def a_node_registers_by_https():
    with Scene() as scene:
        scene.wait_state('registered')
        seen = scene.registrar()
        equal({'port': PORT, 'data': {'nodes': {'2001': {'node': '2001', 'passwd': SECRET, 'remote': 0}}}},
              scene.asl.posts[0][1], 'what was asked')
        equal('application/json', scene.asl.headers[0].get('Content-Type'), 'type')
        equal(f'{scene.site.addr4}:{PORT}', seen['apparent'], 'apparent')
        equal(('https', None, ''), (seen['by'], seen['warning'], seen['why']), 'by, warning, why')
        true(seen['rtt_ms'] >= 20, f'rtt {seen["rtt_ms"]} ms')
        true(seen['last_ok_s'] <= 2, f'{seen["last_ok_s"]} s since')
        begun = time.monotonic()
        scene.node.stop()
        between(0, time.monotonic() - begun, 2, 'seconds to the end')


@test
def a_wrong_password_is_said_and_not_tried_often():
    with Scene(secret='wrong') as scene:
        scene.wait_why('wrong password')
        true(scene.registrar()['state'] != 'registered', 'state')
        equal(None, scene.registrar()['apparent'], 'apparent')
        time.sleep(5)
        equal(1, len(scene.asl.posts), 'posts')


@test
def a_registrar_that_wants_peace_gets_it():
    with Scene(start=False) as scene:
        scene.asl.script = lambda request: request.reply(429)
        scene.node.start()
        scene.wait_why('less often')
        time.sleep(30)
        equal(1, len(scene.asl.posts), 'posts')


@long_test
def a_registrar_out_of_order_gets_its_node_when_it_is_back():
    with Scene(start=False) as scene:
        scene.asl.script = lambda request: request.reply(502, '<html>successfully registered</html>')
        scene.node.start()
        scene.wait_why('out of order (HTTP 502)')
        true(scene.registrar()['state'] != 'registered', 'state')
        scene.asl.script = None
        scene.wait_state('registered', 25)
        first, second = (post[0] for post in scene.asl.wait_posts(2))
        between(9.5, second - first, 21, 'seconds between both')


@test
def an_endless_answer_is_cut():
    with Scene(start=False) as scene:
        sent = []

        def pour(request):
            request.send_response(200)
            request.send_header('Content-Length', str(100_000_000))
            request.end_headers()
            chunk = b'{"data":["2001 successfully registered"]}'.ljust(65536)
            try:
                for _ in range(1600):
                    request.wfile.write(chunk)
                    sent.append(len(chunk))
            except OSError:
                pass

        scene.asl.script = pour
        scene.node.start()
        scene.wait_why('longer than')
        true(sum(sent) < 20_000_000, f'{sum(sent)} octets were taken')
        equal(1, scene.registrar()['https_cut'], 'answers cut')
        true(scene.registrar()['state'] != 'registered', 'state')


@test
def a_certificate_of_nobody_is_not_believed():
    for scene in (Scene(trusted=False), Scene(pem_for='192.0.2.77')):
        with scene:
            scene.wait_why('certificate')
            equal([], scene.asl.posts, 'posts')
            true(scene.registrar()['state'] != 'registered', 'state')


@test
def a_redirect_is_not_followed():
    with Scene(start=False) as scene:
        with Stats(scene.pbx_site) as plain:
            scene.asl.script = lambda request: request.reply(
                307, headers=[('Location', f'http://{scene.pbx_site.addr4}/')])
            scene.node.start()
            scene.wait_why('HTTP 307')
            equal([], plain.reports, 'what came without TLS')


@long_test
def a_registrar_that_says_nothing_holds_up_nobody():
    with Scene(start=False) as scene:
        scene.asl.script = lambda request: time.sleep(30)
        scene.node.start()
        scene.asl.wait_posts(1)
        for _ in range(10):
            begun = time.monotonic()
            true(scene.node.status(), 'status')
            between(0, time.monotonic() - begun, 0.2, 'seconds to the status')
        scene.wait_why('timed out', 18)
        # And it ends at once with a question under way.
        scene.asl.wait_posts(2, 25)
        begun = time.monotonic()
        scene.node.stop()
        between(0, time.monotonic() - begun, 2, 'seconds to the end')


def begins_by_iax2(scene):
    scene.wait_state('registered')
    equal('iax2', scene.registrar()['by'], 'by')
    equal([], scene.asl.posts, 'posts')


@long_test
def https_is_chosen_when_both_see_the_same():
    with Scene('auto', iax2=True) as scene:
        begins_by_iax2(scene)
        wait_until(lambda: scene.registrar().get('by') == 'https', 75, 'the turn of HTTPS')
        scene.wait_state('registered')
        seen = scene.registrar()
        equal(seen['apparent_iax2'], seen['apparent_https'], 'both addresses')
        # One or the other: REGREQs have ended, and no good-bye undid it.
        count = len(scene.pbx.registrations)
        true('2001' in scene.pbx.registered, 'no good-bye')
        time.sleep(65)
        equal(count, len(scene.pbx.registrations), 'REGREQs')
        equal(1, len(scene.asl.posts), 'posts')


def iax2_stays(scene, words):
    begins_by_iax2(scene)
    scene.asl.wait_posts(1, 75)
    wait_until(lambda: scene.registrar().get('warning'), 5, 'the warning')
    wait_until(lambda: scene.registrar()['by'] == 'iax2' and
               scene.registrar()['state'] == 'registered', 5, 'REGREQ again')
    seen = scene.registrar()
    true(words in seen['warning'], seen['warning'])
    true(seen['apparent_iax2'] != seen['apparent_https'], 'both addresses')
    equal(seen['apparent_iax2'], seen['apparent'], 'apparent')
    equal(1, len(scene.asl.posts), 'posts')


@test
def iax2_is_chosen_behind_a_translator_of_ports():
    with Scene('auto', nat='random', iax2=True) as scene:
        begins_by_iax2(scene)
        true(not scene.registrar()['apparent_iax2'].endswith(f':{PORT}'), 'another port')
        # By HTTPS there would be no way to say which: it has no turn.
        time.sleep(65)
        begins_by_iax2(scene)


@long_test
def iax2_is_chosen_with_another_uplink_for_tcp():
    with Scene('auto', iax2=True, start=False) as scene:
        other = '198.51.100.201'
        second_address(scene.lab, scene.site, other)
        gateway = scene.site.run(['ip', 'route', 'show', 'default']).stdout.split('\n')[0].split()
        scene.site.run(['ip', 'route', 'add', *gateway, 'src', other, 'table', '77'])
        scene.site.run(['ip', 'rule', 'add', 'ipproto', 'tcp', 'lookup', '77'])
        scene.node.start()
        iax2_stays(scene, f'{other}:{PORT}')


@long_test
def https_is_taken_when_iax2_is_silent():
    with Scene('auto') as scene:
        scene.wait_state('registered', 30)
        equal('https', scene.registrar()['by'], 'by')


@test
def another_registrar_shows_a_wrong_address():
    with Lab(delay_ms=10) as lab:
        site, ours = lab.host('asl'), Registrar(lab, lab.host('registrar'))
        authority = Authority(lab)
        with AslRegistrar(site, authority.give('asl', site.addr4), CLUB, ipaddr='203.0.113.99') as asl:
            node = Node(lab, lab.host('home'), '2001', start=False, https={'ca_file': authority.cert},
                        registrars=[entry(site, secret_file(lab)),
                                    {'host': ours.host.addr4, 'port': PORT, 'key': ours.key}])
            ours.add('2001', node.key)
            node.start()
            asl.wait_posts(1)
            wait_until(lambda: registrar_of(node, 1).get('state') == 'registered', 10, 'ours')
            wait_until(lambda: registrar_of(node).get('warning'), 5, 'the warning')
            true('203.0.113.99' in registrar_of(node)['warning'], 'warning')


# --- statistics -------------------------------------------------------------


def stats_node(lab, site, web_site, **more):
    wav = os.path.join(lab.dir, 'word.wav')
    sweep(wav, 2)
    return Node(lab, site, '2001', stats={'url': f'http://{web_site.addr4}/uhandler', 'interval_s': 60},
                sim={'rx_wav': wav}, **more), wav


@long_test
def statistics_are_posted_where_they_are_wanted():
    with Lab(delay_ms=10) as lab:
        web, pbx_site, site = lab.host('stats'), lab.host('pbx'), lab.host('home')
        with Stats(web) as stats, Asterisk(pbx_site, '2002') as pbx:
            node, wav = stats_node(lab, site, web, peers=[{'number': '2002', 'host': pbx_site.addr4}])
            wait_until(node.status, 5, 'the node to start')
            node.connect('2002')
            pbx.wait_call()
            wait_until(lambda: stats.reports, 15, 'the first report')
            _, path, first = stats.reports[0]
            equal('/uhandler', path, 'path')
            equal(('2001', '1', 'T2002', '0', '0'),
                  tuple(first[k] for k in ('node', 'seqno', 'nodes', 'keyed', 'totalkeyups')), 'report')
            true(abs(int(first['time']) - time.time()) < 5, 'time')
            equal({'node', 'time', 'seqno', 'nodes', 'apprptvers', 'apprptuptime', 'totalkerchunks',
                   'totalkeyups', 'totaltxtime', 'timeouts', 'totalexecdcommands', 'keyed', 'keytime'},
                  set(first), 'fields')
            time.sleep(6)
            node.play(wav)
            wait_until(lambda: len(stats.reports) >= 3, 15, 'both changes of the key')
            equal([('1', '0'), ('0', '5')],
                  [(r[2]['keyed'], r[2]['keytime']) for r in stats.reports[1:3]], 'keyed, keytime')
            equal({'node', 'time', 'seqno', 'keyed', 'keytime'}, set(stats.reports[1][2]), 'fields')
            wait_until(lambda: len(stats.reports) >= 4, 65, 'the next report')
            equal('1', stats.reports[3][2]['totalkeyups'], 'key-ups')
            between(58, stats.reports[3][0] - stats.reports[0][0], 64, 'seconds between reports')


@test
def statistics_that_nobody_takes_are_told_once():
    with Lab(delay_ms=10) as lab:
        web = lab.host('stats')
        with Stats(web, status=401) as stats:
            node, wav = stats_node(lab, lab.host('home'), web)
            wait_until(lambda: stats.reports, 20, 'the first report')
            wait_until(lambda: node.status()['stats']['http'] == 401, 5, 'the answer')
            node.play(wav)
            time.sleep(10)
            equal(1, len(stats.reports), 'reports')


@test
def without_being_asked_for_there_are_none():
    with Lab(delay_ms=10) as lab:
        node = Node(lab, lab.host('home'), '2001')
        wait_until(node.status, 5, 'the node to start')
        equal({'enabled': False}, node.status()['stats'], 'stats')


# --- our registrar ----------------------------------------------------------


class Club:
    """A registrar of ours that serves plain clients by HTTPS and DNS."""

    def __init__(self, lab, dns=False, **more):
        self.lab = lab
        self.site = lab.host('club')
        self.authority = Authority(lab)
        cert, key = self.authority.give('club', self.site.addr4)
        settings = {'https': {'port': 443, 'cert_file': cert, 'key_file': key}}
        if dns:
            settings['dns'] = {'port': 53, 'domain': 'club.example.org'}
        self.registrar = Registrar(lab, self.site, 'club', **settings, **more)
        for number, secret in CLUB.items():
            path = secret_file(lab, secret, 'secret' + number)
            equal(0, self.registrar.command('node', 'add', number, '--md5-secret', path).returncode, 'add')

    def curl(self, site, path='/', *words, data=None):
        """(status, text)"""
        argv = ['curl', '-sS', '--cacert', self.authority.cert, '-w', '\n%{http_code}', '--max-time', '10',
                *words, f'https://{self.site.addr4}{path}']
        if data is not None:
            argv += ['-H', 'Content-Type: application/json', '--data-binary', '@-']
        text, _, status = site.run(argv, check=False, text=data, timeout_s=15).stdout.rpartition('\n')
        return int(status or 0), text

    def register(self, site, number, secret, port=PORT):
        asked = {'port': port, 'data': {'nodes': {number: {'node': number, 'passwd': secret, 'remote': 0}}}}
        return self.curl(site, data=json.dumps(asked))

    def status(self):
        return self.registrar.status()


@test
def our_registrar_takes_our_node():
    with Lab(delay_ms=10) as lab:
        club = Club(lab)
        node = Node(lab, lab.host('home'), '2001', https={'ca_file': club.authority.cert},
                    registrars=[entry(club.site, secret_file(lab))])
        wait_until(lambda: registrar_of(node).get('state') == 'registered', 10, 'the node to register')
        equal(f'{node.host.addr4}:{PORT}', registrar_of(node)['apparent'], 'apparent')
        equal(1, club.status()['plain']['online'], 'online')
        equal(1, club.status()['https']['registered'], 'registered')


@test
def our_registrar_answers_as_allstarlinks_does():
    with Lab(delay_ms=10) as lab:
        club, site = Club(lab), lab.host('client')
        status, text = club.register(site, '2001', SECRET, 4570)
        equal(200, status, 'status')
        equal({'ipaddr': site.addr4, 'port': 4570, 'refresh': 179,
               'data': [f'2001 successfully registered @ {site.addr4}:4570']}, json.loads(text), 'answer')
        equal(429, club.register(site, '2001', SECRET, 4570)[0], 'again')
        for number, secret in (('2002', 'wrong'), ('2099', SECRET), ('2002', '')):
            status, text = club.register(site, number, secret)
            if secret:
                equal((200, [f'{number} failed authentication']), (status, json.loads(text)['data']), number)
            else:
                equal(400, status, 'no password')
        # Of two, one is right.
        nodes = {n: {'node': n, 'passwd': 'other', 'remote': 0} for n in ('2002', '2098')}
        status, text = club.curl(site, data=json.dumps({'port': PORT, 'data': {'nodes': nodes}}))
        equal(['2002 successfully registered @ ' + f'{site.addr4}:{PORT}', '2098 failed authentication'],
              json.loads(text)['data'], 'both')
        for bad in ('', '{', '[]', '{"port":4569}', '{"port":0,"data":{"nodes":{}}}', 'x' * 5000):
            equal(400, club.curl(site, data=bad)[0], repr(bad[:20]))
        equal(413, club.curl(site, data=' ' * 9000)[0], 'too long')
        equal(404, club.curl(site, '/etc/passwd')[0], 'another path')
        equal(405, club.curl(site, '/', '-X', 'DELETE')[0], 'another method')
        counters = club.status()['counters']
        equal(3, counters['auth_failed'], 'wrong passwords')


@test
def passwords_cannot_be_tried_out():
    with Lab(delay_ms=1) as lab:
        club, site = Club(lab, limits={'auth_failures_per_min': 5}), lab.host('client')
        got = [club.register(site, '2001', f'guess {i}')[0] for i in range(8)]
        equal([200] * 5 + [429] * 3, got, 'answers')
        # The right one is not looked at either, but from elsewhere it is.
        equal(429, club.register(site, '2001', SECRET)[0], 'the right one')
        equal(200, club.register(lab.host('owner'), '2001', SECRET)[0], 'its owner')


@test
def a_plain_client_is_listed_and_called():
    with Lab(delay_ms=10) as lab:
        club, site = Club(lab), lab.host('pbx')
        caller = Node(lab, lab.host('home'), '2003', club.registrar)
        caller.wait_registered()
        with Asterisk(site, '2001', port=4570, secret=None) as pbx:
            equal((200, '[extnodes]\n'), (club.curl(site, '/extnodes')[0],
                                          club.curl(site, '/extnodes')[1].split('2003')[0]), 'nobody yet')
            equal(200, club.register(site, '2001', SECRET, 4570)[0], 'status')
            caller.connect('2001')
            pbx.wait_call()

            def lines():
                return set(club.curl(site, '/extnodes')[1].splitlines())

            want = {'[extnodes]', f'2001=radio@{site.addr4}:4570/2001,{site.addr4}',
                    f'2003=radio@{caller.host.addr4}:{PORT}/2003,{caller.host.addr4}'}
            time.sleep(31)
            equal(want, lines(), 'the list')


def dig(site, server, *words):
    """(status, lines of the answer)"""
    text = site.run(['dig', f'@{server.addr4}', '+tries=1', '+time=3', '+norecurse', *words], check=False).stdout
    status = text.partition('status: ')[2].partition(',')[0]
    return status, [line.split() for line in text.splitlines() if line and line[0] != ';']


@test
def a_plain_client_is_found_by_dns():
    with Lab(delay_ms=10) as lab:
        club, site, zone = Club(lab, dns=True), lab.host('pbx'), 'nodes.club.example.org.'
        equal(('NXDOMAIN', 'SOA'), (dig(site, club.site, '2001.' + zone)[0],
                                    dig(site, club.site, '2001.' + zone)[1][0][3]), 'before')
        equal(200, club.register(site, '2001', SECRET, 4570)[0], 'status')
        for by in ('+notcp', '+tcp', '+noedns', '+edns=0'):
            equal(('NOERROR', [['_iax._udp.2001.' + zone, '30', 'IN', 'SRV', '0', '0', '4570', '2001.' + zone],
                               ['2001.' + zone, '30', 'IN', 'A', site.addr4]]),
                  dig(site, club.site, by, '_iax._udp.2001.' + zone, 'SRV'), 'SRV ' + by)
        equal(('NOERROR', [['2001.' + zone, '30', 'IN', 'A', site.addr4]]),
              dig(site, club.site, '2001.' + zone), 'A')
        equal(['"NN=2001"', f'"IP={site.addr4}"', '"PT=4570"'],
              dig(site, club.site, '2001.' + zone, 'TXT')[1][0][4:], 'TXT')
        equal('NOERROR', dig(site, club.site, '2001.' + zone, 'AAAA')[0], 'AAAA')
        equal(('NOERROR', 'SOA'), (dig(site, club.site, zone, 'SOA')[0],
                                   dig(site, club.site, zone, 'SOA')[1][0][3]), 'SOA')
        for name in ('example.com', '2001.nodes.example.com', '.'):
            equal('REFUSED', dig(site, club.site, name)[0], name)
        equal([], dig(site, club.site, zone, 'AXFR')[1], 'a transfer')


@test
def dns_is_no_reflector():
    with Lab(delay_ms=1) as lab:
        club, site, other = Club(lab, dns=True), lab.host('rude'), lab.host('client')
        question = bytes.fromhex('123401000001000000000000') + b'\x04_iax\x04_udp\x042001\x05nodes' \
            b'\x04club\x07example\x03org\0' + bytes.fromhex('00210001')
        s = site.socket()
        s.settimeout(1)
        got = []
        for _ in range(60):
            for _ in range(20):
                s.sendto(question, (club.site.addr4, 53))
            time.sleep(0.005)
        while True:
            try:
                got.append(s.recv(2000))
            except TimeoutError:
                break
        limited = [g for g in got if g[2] & 2]
        true(len(got) < 900, f'{len(got)} answers to 1200 questions')
        true(limited and max(map(len, limited)) <= len(question), 'what is limited is no longer')
        true(club.status()['dns']['limited'] > 500, 'limited')
        # By TCP it is answered all the same.
        equal('NXDOMAIN', dig(site, club.site, '+tcp', '2001.nodes.club.example.org')[0], 'by TCP')
        # And who only holds on goes.
        held = []
        for _ in range(15):
            t = other.socket(kind=1)
            t.settimeout(15)
            t.connect((club.site.addr4, 53))
            held.append(t)
        equal(b'', held[0].recv(1), 'the end')


@test
def a_newer_certificate_is_taken():
    with Lab(delay_ms=1) as lab:
        club, site = Club(lab), lab.host('client')

        def serial():
            return site.run(['sh', '-c', f'openssl s_client -connect {club.site.addr4}:443 </dev/null '
                             '2>/dev/null | openssl x509 -noout -serial']).stdout

        before = serial()
        true(before, 'a certificate')
        club.authority.give('club', club.site.addr4)
        # Nobody is turned away meanwhile.  Whoever asks all the time is refused.
        for _ in range(40):
            time.sleep(1)
            if serial() != before:
                break
        true(serial() != before, 'the newer one')
        equal(200, club.register(site, '2001', SECRET)[0], 'status')


@test
def strangers_who_hold_on_shut_nobody_out():
    with Lab(delay_ms=1) as lab:
        club, site, other = Club(lab), lab.host('rude'), lab.host('client')
        held = []
        for _ in range(60):
            s = site.socket(kind=1)
            s.settimeout(1)
            s.connect((club.site.addr4, 443))
            held.append(s)
        equal(200, club.register(other, '2001', SECRET)[0], 'status')
        true(club.status()['https']['connections'] <= 17, 'connections')
        # And what hangs is hung up on.
        wait_until(lambda: club.status()['https']['connections'] == 0, 15, 'the connections to end')


@test
def a_key_that_others_can_read_is_refused():
    with Lab(delay_ms=1) as lab:
        club = Club(lab)
        club.registrar.process.terminate()
        club.registrar.process.wait(5)
        os.chmod(os.path.join(club.authority.dir, 'club.key'), 0o644)
        done = club.site.run([REGISTRAR, '-c', club.registrar.conf], check=False)
        equal(1, done.returncode, 'exit')
        true('chmod 600' in done.stderr, done.stderr)


def lacking():
    return missing() or next((f'needs {t}' for t in ('openssl', 'curl', 'dig') if not shutil.which(t)), None)


if __name__ == '__main__':
    main(lacking())
