# SPDX-License-Identifier: MIT
"""Proves the lab's building blocks before any scenario relies on them."""

import contextlib
import glob
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import netns
from lab import (ADDRESS_PORT, CALLTOKEN, INDEPENDENT, REJECT, Answerer, Lab,
                 LabError, classify, missing, ping_ms, plain_new, receive,
                 wait_until)
from probe import new_frame
from tap import between, equal, long_test, main, test, true

SO_RCVBUFFORCE = 33  # past net.core.rmem_max, for root
HERE = os.path.dirname(os.path.abspath(__file__))


def two_hosts(lab):
    return lab.host('a'), lab.host('b')


def stream(sender, receiver, count, every_s=0.0, family=4):
    """Send numbered datagrams one way; the numbers in order of arrival."""
    here, there = sender.socket(family=family), receiver.socket(family=family)
    there.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
    to = (receiver.addr(family), there.getsockname()[1])
    for number in range(count):
        here.sendto(struct.pack('>I', number), to)
        if every_s:
            time.sleep(every_s)
    arrived = []
    while got := receive(there, 0.3):
        arrived.append(struct.unpack('>I', got[0])[0])
    return arrived


def seconds_to_build():
    start = time.monotonic()
    with Lab() as lab:
        for side in ('left', 'right'):
            carrier = lab.router(f'{side}-cgn', lan='carrier')
            home = lab.router(f'{side}-home', carrier)
            lab.host(f'{side}-node', home)
        lab.host('registrar')
        return time.monotonic() - start


@test
def eight_namespaces_are_up_within_a_second_or_so():
    took_s = min(seconds_to_build() for _ in range(3))
    print(f'{took_s:.3f} s')
    between(0, took_s, 3, 'seconds to build')


@test
def delay_is_added_each_way_in_both_families():
    with Lab(delay_ms=25) as lab:
        a, b = two_hosts(lab)
        for family in (4, 6):
            times = ping_ms(a, b, family)
            between(50, min(times), 58, f'IPv{family} round trip, ms')
        lab.wan.delay(100, dst=f'{b.addr4}/32')
        between(125, min(ping_ms(a, b)), 133, 'with 100 ms one way')
        lab.wan.delay(0, dst=f'{b.addr4}/32')
        lab.wan.delay(5)
        between(5, min(ping_ms(a, b)), 12, 'with 0 and 5 ms')
        between(10, min(ping_ms(a, b, 6)), 17, 'with 5 ms both ways')


@test
def jitter_spreads_but_keeps_order_and_reorder_does_not():
    with Lab() as lab:
        a, b = two_hosts(lab)
        lab.wan.delay(30, 20, dst=b.addr4)
        lab.wan.delay(0, dst=a.addr4)
        times = ping_ms(a, b, count=30, every_s=0.01)
        between(10, min(times), 25, 'shortest, ms')
        between(35, max(times), 80, 'longest, ms')
        between(22, statistics.mean(times), 45, 'mean, ms')
        equal(list(range(60)), stream(a, b, 60, 0.003), 'with jitter')
        lab.wan.delay(5, dst=b.addr4)
        lab.wan.reorder(0.2, 15)
        arrived = stream(a, b, 60, 0.003)
        equal(list(range(60)), sorted(arrived), 'with reordering')
        true(arrived != sorted(arrived), 'nothing was reordered')


@test
def loss_is_as_frequent_as_set_and_the_same_for_a_seed():
    with Lab(delay_ms=1) as lab:
        a, b = two_hosts(lab)
        rounds = []
        for seed in (7, 7, 8):
            lab.wan.loss(0.2, seed, src=a.addr4)
            rounds.append(stream(a, b, 500))
        between(360, len(rounds[0]), 440, 'of 500 arrived')
        equal(rounds[0], rounds[1], 'twice the same seed')
        true(rounds[0] != rounds[2], 'another seed, the same pattern')
        lab.wan.loss(0, src=a.addr4)
        equal(500, len(stream(a, b, 500)), 'without loss')
        lab.wan.dup(1)
        equal(sorted(list(range(50)) * 2), sorted(stream(a, b, 50)), 'doubled')


@test
def the_nth_packet_is_dropped_once():
    with Lab(delay_ms=1) as lab:
        a, b = two_hosts(lab)
        rule = lab.wan.drop_nth(3, dst=b.addr4)
        lab.wan.drop_nth(5, dst=b.addr4)
        equal([0, 1, 3, 5, 6, 7, 8, 9], stream(a, b, 10))
        equal(list(range(10)), stream(a, b, 10), 'the second time')
        equal(1, lab.wan.hits(rule), 'hits')
        lab.wan.drop(count=2, src=a.addr4)
        equal([2, 3, 4], stream(a, b, 5), 'the first two')
        rule = lab.wan.drop(src='198.51.100.0/24')
        equal([], stream(a, b, 3), 'all of a prefix')
        equal([0, 1, 2], stream(a, b, 3, family=6), 'the other family')
        lab.wan.clear(rule)
        equal([0, 1, 2], stream(a, b, 3), 'cleared')


@test
def frames_are_dropped_by_port_type_and_subclass():
    with Lab(delay_ms=1) as lab:
        a, b = two_hosts(lab)
        answerer = Answerer(b)
        equal(CALLTOKEN, plain_new(a, b.addr4), 'without a filter')
        # The NEW gets there; its answer does not come back.
        lab.wan.drop(sport=4569, type=6, sub=CALLTOKEN)
        equal(None, plain_new(a, b.addr4, timeout_s=0.4))
        equal(2, answerer.answered, 'NEWs that got there')
        lab.wan.clear()
        lab.wan.drop(type=6, sub=REJECT)
        lab.wan.drop(port=4568)
        equal(CALLTOKEN, plain_new(a, b.addr4), 'other filters')
        for words in (['loss', '2'], ['delay'], ['delay', '1', 'src=nobody'],
                      ['drop', '0'], ['clear', '999'], ['no-such'],
                      ['dropmatch', 'port=65536'], ['log', '/no/such/dir']):
            try:
                lab.wan.command(*words)
            except LabError:
                continue
            true(False, f'{words} was accepted')


@test
def packets_are_counted_logged_and_captured():
    with Lab(delay_ms=1) as lab:
        a, b = two_hosts(lab)
        path = os.path.join(lab.dir, 'all.pcap')
        lab.wan.pcap(path)
        lab.wan.drop_nth(2)
        sock = a.socket()
        b.socket(4569)  # so that no ICMP error comes back
        start_us = time.monotonic() * 1e6
        for _ in range(2):
            sock.sendto(new_frame(17), (b.addr4, 4569))
        wait_until(lambda: lab.wan.stats()['packets'] >= 2, 2, 'two packets')
        rows = lab.wan.packets(dst=b.addr4, dport=4569, type=6, sub=1)
        equal([None, 'rule'], [row['dropped'] for row in rows])
        equal(sock.getsockname()[1], rows[0]['sport'])
        between(start_us, rows[0]['t'], start_us + 1e6, 'time of arrival')
        pair = next(p for p in lab.wan.stats()['pairs']
                    if p['src'] == a.addr4 and p['dst'] == b.addr4)
        equal((2, 1), (pair['packets'], pair['dropped']))
        lab.wan.pcap()
        captured = list(read_pcap(path))
        equal(2, sum(p[9] == 17 and p[16:20] == addr4_octets(b)
                     for p in captured), 'captured')
        lab.wan.reset()
        equal(0, lab.wan.stats()['packets'], 'after a reset')


def addr4_octets(site):
    return bytes(int(part) for part in site.addr4.split('.'))


def read_pcap(path):
    with open(path, 'rb') as f:
        magic, _, _, _, _, _, link = struct.unpack('<IHHIIII', f.read(24))
        equal((0xa1b2c3d4, 101), (magic, link), 'header of the capture')
        while header := f.read(16):
            yield f.read(struct.unpack('<IIII', header)[2])


def udp_checksum_is_right(packet):
    """RFC 768 and RFC 8200 section 8.1: the sum with its header is ~0."""
    if packet[0] >> 4 == 4:
        header, addrs = (packet[0] & 15) * 4, packet[12:20]
    else:
        header, addrs = 40, packet[8:40]
    udp = packet[header:]
    data = addrs + struct.pack('>II', 17, len(udp)) + udp
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff


@test
def udp_checksums_are_right_on_the_wire():
    with Lab(delay_ms=1) as lab:
        home = lab.router('home', ipv6=True)
        node, server = lab.host('node', home), lab.host('server')
        path = os.path.join(lab.dir, 'sums.pcap')
        lab.wan.pcap(path)
        for family in (4, 6):
            ping_ms(node, server, family, count=3)
        lab.wan.pcap()
        udp = [p for p in read_pcap(path)
               if 17 == (p[9] if p[0] >> 4 == 4 else p[6])]
        equal({4: 6, 6: 6}, {f: sum(p[0] >> 4 == f for p in udp)
                             for f in (4, 6)}, 'datagrams')
        for packet in udp:
            true(udp_checksum_is_right(packet), f'bad sum: {packet.hex()}')
            spoilt = packet[:-1] + bytes([packet[-1] ^ 1])
            true(not udp_checksum_is_right(spoilt), 'the check finds nothing')


def nat_path(lab, router, family=4):
    node = lab.host('node', router)
    return classify(node, *two_hosts(lab), family=family)


@test
def a_preserving_nat_keeps_its_mapping_and_the_port():
    with Lab() as lab:
        router = lab.router('home', nat='preserving', firewall='drop')
        path = nat_path(lab, router)
        equal((INDEPENDENT, ADDRESS_PORT, True, True), path[:4])
        equal(router.addr4, path.mapped[0], 'external address')
        other = lab.host('other', router)
        server = lab.host('server')
        there = server.socket()
        to = (server.addr4, there.getsockname()[1])
        ports = []
        for host in (router_host := lab.host('third', router), other):
            host.socket(4569).sendto(b'x', to)
            ports.append(receive(there, 2)[1][1])
        equal(4569, ports[0], 'the first to use a port')
        true(ports[1] != 4569, 'two hosts share a port')
        true(router_host.addr4 != other.addr4, 'two hosts share an address')


@test
def a_random_nat_has_a_port_for_each_destination():
    with Lab() as lab:
        path = nat_path(lab, lab.router('cgn', nat='random', lan='carrier'))
        equal((ADDRESS_PORT, ADDRESS_PORT, True, False), path[:4])


@test
def a_sequential_nat_counts_its_ports():
    with Lab(delay_ms=1) as lab:
        router = lab.router('cgn', nat='sequential')
        path = nat_path(lab, router)
        equal((ADDRESS_PORT, ADDRESS_PORT), path[:2])
        server, node = lab.host('server'), lab.host('another', router)
        sock, ports = node.socket(), []
        for _ in range(4):
            there = server.socket()
            sock.sendto(b'x', (server.addr4, there.getsockname()[1]))
            ports.append(receive(there, 2)[1][1])
        equal([1, 1, 1], [b - a for a, b in zip(ports, ports[1:])], ports)


@test
def double_nat_shows_the_outer_address_and_the_worse_mapping():
    with Lab() as lab:
        outer = lab.router('cgn', nat='random', lan='carrier')
        inner = lab.router('home', outer, nat='preserving', firewall='drop')
        true(inner.addr4.startswith('100.64.'), inner.addr4)
        path = nat_path(lab, inner)
        equal((ADDRESS_PORT, ADDRESS_PORT, True, False), path[:4])
        equal(outer.addr4, path.mapped[0])


@test
def without_nat_hosts_are_reached_directly():
    with Lab() as lab:
        router = lab.router('office', nat=None, ipv6=True)
        node = lab.host('node', router)
        servers = two_hosts(lab)
        for family in (4, 6):
            path = classify(node, *servers, family=family)
            equal((INDEPENDENT, INDEPENDENT, False, True), path[:4])
        inner = lab.router('lab', router, nat=None, ipv6=True)
        deep = lab.host('deep', inner)
        for family in (4, 6):
            true(all(ping_ms(deep, servers[0], family, count=2)), 'too deep')
            true(all(ping_ms(servers[0], deep, family, count=2)), 'inwards')
        only6 = lab.host('only6', ipv4=False)
        equal(None, only6.addr4)
        true(all(ping_ms(only6, node, 6, count=2)), 'IPv6 only')
        only4 = lab.host('only4', ipv6=False)
        equal(None, only4.addr6)


@test
def the_firewall_drops_answers_or_rejects_what_is_unsolicited():
    with Lab(delay_ms=5) as lab:
        server = lab.host('server')
        home = lab.router('home', firewall='drop')
        lab.host('node', home)
        equal(None, plain_new(server, home.addr4, timeout_s=0.4), 'drop')
        equal([], home.conntrack(server.addr4), 'what drop remembers')
        home.set_firewall('reject')
        equal('icmp', plain_new(server, home.addr4), 'reject')
        equal([], home.conntrack(server.addr4), 'what reject remembers')
        home.set_firewall('icmp')
        equal('icmp', plain_new(server, home.addr4), 'icmp')
        equal(1, len(home.conntrack(server.addr4, 'dport=4569')),
              'what icmp remembers')
        home.flush()
        equal([], home.conntrack(server.addr4), 'after a flush')


@test
def an_early_packet_takes_the_port_from_a_host_behind_icmp_only():
    """Why punching must not be early: the router's own connection for it
    occupies the mapping that the host behind would have got."""
    for firewall, kept in (('drop', True), ('icmp', False)):
        with Lab(delay_ms=1) as lab:
            home = lab.router('home', firewall=firewall)
            node, peer = lab.host('node', home), lab.host('peer')
            there, here = peer.socket(4569), node.socket(4569)
            there.sendto(b'early', (home.addr4, 4569))
            time.sleep(0.1)
            here.sendto(b'late', (peer.addr4, 4569))
            got = receive(there, 2)
            equal(kept, got[1][1] == 4569, f'{firewall}: {got}')


@long_test
def a_hole_closes_when_its_life_is_over():
    with Lab(delay_ms=1) as lab:
        home = lab.router('home', firewall='drop', hole_life_s=2)
        node, server = lab.host('node', home), lab.host('server')
        here, there = node.socket(4569), server.socket(4569)
        here.sendto(b'open', (server.addr4, 4569))
        mapped = receive(there, 1)[1]
        for wait_s, open_still in ((1, True), (1, True), (3.2, False)):
            time.sleep(wait_s)
            there.sendto(b'in', mapped)
            equal(open_still, receive(here, 0.3) is not None, f'{wait_s} s')


@test
def an_ipv6_firewall_lets_in_only_answers():
    with Lab() as lab:
        cell = lab.router('cell', nat='random', lan='carrier', ipv6=True,
                          firewall='drop')
        node, (a, b) = lab.host('node', cell), two_hosts(lab)
        equal((INDEPENDENT, ADDRESS_PORT, False, True),
              classify(node, a, b, family=6)[:4])
        equal((ADDRESS_PORT, ADDRESS_PORT, True, False),
              classify(node, a, b, family=4)[:4])
        Answerer(node, family=6)
        equal(None, plain_new(a, node.addr6, timeout_s=0.5), 'from outside')
        cell.set_firewall('reject')
        equal('icmp', plain_new(a, node.addr6), 'rejected')
        cell.set_firewall(None)
        equal(CALLTOKEN, plain_new(a, node.addr6), 'without a firewall')


@test
def a_router_moves_to_another_address_and_prefix():
    with Lab(delay_ms=5) as lab:
        home = lab.router('home', firewall='drop', ipv6=True)
        node, server = lab.host('node', home), lab.host('server')
        here, there = node.socket(4569), server.socket(4569)
        before = home.addr4, node.addr6, node.addr4
        here.sendto(b'1', (server.addr4, 4569))
        equal(before[0], receive(there, 1)[1][0])
        home.change_address(v6=True)
        true(home.addr4 != before[0] and node.addr6 != before[1], 'no change')
        equal(before[2], node.addr4, 'private address')
        there.sendto(b'2', (before[0], 4569))
        there.sendto(b'3', (home.addr4, 4569))
        equal(None, receive(here, 0.2), 'through a hole of before')
        here.sendto(b'4', (server.addr4, 4569))
        equal((b'4', (home.addr4, 4569)), receive(there, 1), 'again')
        there.sendto(b'5', (home.addr4, 4569))
        equal(b'5', receive(here, 1)[0], 'the answer')
        true(all(ping_ms(node, server, 6, count=2)), 'new prefix')
        here6, there6 = node.socket(family=6), server.socket(family=6)
        here6.sendto(b'6', (server.addr6, there6.getsockname()[1]))
        equal(node.addr6, receive(there6, 1)[1][0], 'the new IPv6 address')


@test
def the_negative_control_tells_open_from_closed():
    with Lab(delay_ms=5) as lab:
        server, public = two_hosts(lab)
        home = lab.router('home', firewall='drop')
        node = lab.host('node', home)
        Answerer(public)
        Answerer(public, family=6)
        inside = Answerer(node, subclass=REJECT)
        equal(CALLTOKEN, plain_new(server, public.addr4), 'public')
        equal(CALLTOKEN, plain_new(server, public.addr6), 'public, IPv6')
        equal(CALLTOKEN, plain_new(node, public.addr4), 'outwards')
        equal('icmp', plain_new(server, public.addr4, 4570), 'no listener')
        equal('icmp', plain_new(server, public.addr6, 4570), 'none on IPv6')
        equal(None, plain_new(server, home.addr4, timeout_s=0.7), 'NAT')
        equal(None, plain_new(server, '203.0.113.99', timeout_s=0.3), 'nobody')
        equal(0, inside.answered)
        home.forward(4569, node)
        equal(REJECT, plain_new(server, home.addr4), 'a forwarded port')


@test
def programs_run_in_their_site_with_their_own_etc():
    with Lab() as lab:
        host = lab.host('host')
        host.etc('resolv.conf', 'nameserver 192.0.2.53\n')
        equal('nameserver 192.0.2.53\n',
              host.run(['cat', '/etc/resolv.conf']).stdout)
        true(host.addr4 in host.python(
            'import subprocess; '
            'print(subprocess.getoutput("ip -o addr"))'), 'own addresses')
        proc = host.popen(['sh', '-c', 'echo started; sleep 60 & sleep 60'])
        wait_until(lambda: os.path.getsize(proc.log), 2, 'output')
        lab.stop(proc)
        true(proc.returncode is not None, 'still running')
        sleeper = unique_sleep(61)
        host.popen(['sh', '-c', f'trap "" TERM; exec setsid {sleeper}'])
        wait_until(lambda: runs(sleeper), 2, 'a sleeper')
    wait_until(lambda: not runs(sleeper), 1, 'the sleeper ends with its lab')


def unique_sleep(seconds):
    return f'sleep {seconds}.{os.getpid()}'


def runs(command):
    want = command.replace(' ', '\0').encode() + b'\0'
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        with contextlib.suppress(OSError), open(path, 'rb') as f:
            if f.read() == want:
                return True
    return False


OWNER = f'''
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {HERE!r})
from lab import Lab
with Lab() as lab:
    lab.host('host').popen(sys.argv[1].split())
    print(lab.prefix, flush=True)
    time.sleep(60)
'''


@test
def nothing_is_left_when_the_owner_ends():
    sleeper = unique_sleep(62)
    for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        owner = subprocess.Popen([sys.executable, '-B', '-c', OWNER, sleeper],
                                 stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.DEVNULL)
        prefix = owner.stdout.readline().strip()
        equal(2, len(glob.glob(f'/run/netns/{prefix}-*')), 'namespaces')
        wait_until(lambda: runs(sleeper), 2, 'its program')
        owner.send_signal(signo)
        owner.wait(5)
        owner.stdout.close()
        if signo == signal.SIGKILL:
            netns.clean()
        # Another lab's cleaner may be at it at the same moment.
        wait_until(lambda: not leftovers(prefix), 2, f'all gone: {signo}')
        wait_until(lambda: not runs(sleeper), 2, f'program gone: {signo}')


def leftovers(prefix):
    return glob.glob(f'/run/netns/{prefix}-*') + \
        glob.glob(f'{tempfile.gettempdir()}/{prefix}-*')


@test
def twenty_thousand_packets_a_second_get_through():
    with Lab(delay_ms=25, log_packets=False) as lab:
        a, b = two_hosts(lab)
        there, here = b.socket(), a.socket()
        there.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        to = (b.addr4, there.getsockname()[1])
        voice, count = bytes(172), 0
        netns.be_realtime()
        start = time.monotonic()
        while (spent_s := time.monotonic() - start) < 1:
            while count < spent_s * 20000:
                here.sendto(voice, to)
                count += 1
            time.sleep(0.001)
        got = 0
        while receive(there, 0.2):
            got += 1
        stats = lab.wan.stats()
        print(f'{count} sent, {got} arrived, {stats["packets"]} in the wan')
        between(19000, count, 21000, 'sent')
        between(count * 0.999, got, count, 'arrived')
        equal(0, stats['queued'] + stats['write_errors'], 'left or failed')


@test
def wan_tells_for_how_long_it_could_not_run():
    with Lab(delay_ms=1) as lab:
        stop(lab.wan, 0.1)
        # It wakes at least every 5 ms.
        between(95, lab.wan.late_ms(), 1000, 'ms')


def stop(wan, seconds):
    wan.proc.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    wan.proc.send_signal(signal.SIGCONT)


SCENARIOS = f'''
import os, sys, time
sys.path.insert(0, {HERE!r})
from lab import Lab, LabError, wait_until
from tap import Failed, between, main, stood_still, test
from test_lab_selftest import stop

def try_number():
    with open(os.environ['TRIES'], 'a+') as f:
        f.write('x')
        return f.tell()

@test
def late_once_as_the_internet_was_stopped():
    with Lab(delay_ms=1) as lab:
        if try_number() == 1:
            stop(lab.wan, 0.1)
            between(0, 2, 1, 'first try')

@test
def waits_in_vain_once_as_the_machine_stood_still():
    if try_number() == 1:
        stood_still(21)
        wait_until(lambda: False, 0, 'nothing')

@test
def always_late():
    try_number()
    stood_still(143.2)
    stood_still(30)
    between(0, 2, 1, 'every try')

@test
def late_on_a_machine_that_ran():
    try_number()
    stood_still(20)
    between(0, 2, 1, 'the only try')

@test
def wrong_on_a_machine_that_stood_still():
    try_number()
    stood_still(500)
    raise Failed('wrong, early or late')

if __name__ == '__main__':
    main()
'''


@test
def late_scenarios_run_again_where_the_machine_stood_still():
    again = 'the machine stood still for'
    for name, tries, good, figure in (
            ('late_once_as_the_internet_was_stopped', 2, True, None),
            ('waits_in_vain_once_as_the_machine_stood_still', 2, True, 21),
            ('always_late', 3, False, 143),
            ('late_on_a_machine_that_ran', 1, False, None),
            ('wrong_on_a_machine_that_stood_still', 1, False, None)):
        with tempfile.NamedTemporaryFile() as f:
            done = subprocess.run([sys.executable, '-B', '-c', SCENARIOS, name], text=True,
                                  capture_output=True, check=False,
                                  env=dict(os.environ, TRIES=f.name))
            equal(tries, len(f.read()), f'{name}: tries: {done.stdout}{done.stderr}')
        equal(0 if good else 1, done.returncode, f'{name}: {done.stdout}')
        rows = done.stdout.splitlines()
        true(any(row.startswith(f'{"ok" if good else "not ok"} 1 - {name} ') for row in rows), done.stdout)
        equal('1..1', rows[-1], 'the plan')
        told = [row for row in rows if again in row]
        equal(tries - 1, len(told), done.stdout)
        true(all(row.startswith('# ') and row.endswith(' ms: again') for row in told), told)
        if figure:
            true(all(f'{again} {figure} ms' in row for row in told), told)


if __name__ == '__main__':
    main(missing())
