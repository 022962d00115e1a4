# SPDX-License-Identifier: MIT
"""The network lab: sites in network namespaces around an emulated internet.

    with Lab(delay_ms=25) as lab:
        server = lab.host('server')
        home = lab.router('home', nat='preserving', firewall='drop')
        node = lab.host('node', home)
        node.run(['ping', '-c', '1', server.addr4])

Needs root, iproute2, nftables, conntrack and the program wan (README.md).
"""

import contextlib
import ctypes
import glob
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PYTHON = '/usr/bin/python3'
GATEWAY4 = '192.0.2.1'
WAN_TABLE = 100
NAT_KINDS = (None, 'preserving', 'random', 'sequential')
FIREWALLS = (None, 'drop', 'reject', 'icmp')
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab could not do what a scenario asked."""


def build_dir():
    """Where the programs are: KEYHOLE_BUILD, or build/dev in the source."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    return os.environ.get('KEYHOLE_BUILD') or os.path.join(root, 'build', 'dev')


def missing():
    """Why no lab can run on this machine, or None."""
    if os.geteuid() != 0:
        return 'needs root'
    for tool in ('ip', 'nft', 'conntrack'):
        if not shutil.which(tool):
            return f'needs {tool}'
    for path in ('/dev/net/tun', wan_program()):
        if not os.path.exists(path):
            return f'needs {path}'
    return None


def wan_program():
    return os.path.join(build_dir(), 'tests', 'lab', 'wan')


def wait_until(fn, timeout_s, what, every_s=0.02):
    """Call fn until it returns something true; that is the result."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = fn()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise LabError(f'not within {timeout_s} s: {what}')
        time.sleep(every_s)


def _tool(argv, text=None):
    done = subprocess.run(argv, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        raise LabError(f'{" ".join(argv)}: {done.stderr.strip()}\n{text or ""}')
    return done.stdout


def _ip(ns, lines, family=None):
    argv = ['ip'] + (['-n', ns] if ns else []) + ([family] if family else [])
    if lines:
        _tool(argv + ['-batch', '-'], '\n'.join(lines) + '\n')


def _start_time(pid):
    """When a process started, in clock ticks since boot; None: no such one."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as f:
            return int(f.read().rpartition(')')[2].split()[19])
    except (OSError, IndexError):
        return None


class Namespace:
    """A named network namespace, and the way in and out of it."""

    def __init__(self, name, forwarding):
        self.name = name
        _ip(None, [f'netns add {name}'])
        self._fd = os.open(f'/run/netns/{name}', os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        self.sysctl({
            'ipv4/conf/all/rp_filter': 0,
            'ipv4/conf/default/rp_filter': 0,
            'ipv4/conf/all/promote_secondaries': 1,
            'ipv4/ip_forward': int(forwarding),
            'ipv6/conf/all/forwarding': int(forwarding),
            'ipv6/conf/default/accept_dad': 0,
            'ipv6/conf/default/accept_ra': 0,
            'ipv6/conf/default/addr_gen_mode': 1,
        })

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in the namespace for a while."""
        back = os.open('/proc/thread-self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._enter(self._fd)
            yield
        finally:
            self._enter(back)
            os.close(back)

    @staticmethod
    def _enter(fd):
        if _libc.setns(fd, 0x40000000) != 0:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), 'setns')

    def sysctl(self, values):
        """Write {path under /proc/sys/net: value}."""
        with self.inside():
            for path, value in values.items():
                with open(f'/proc/sys/net/{path}', 'w', encoding='ascii') as f:
                    f.write(str(value))

    def close(self):
        os.close(self._fd)


class Site:
    """Something with a namespace and one uplink: a host or a router."""

    uplink = 'eth0'

    def __init__(self, lab, name, upstream, ipv4, ipv6, forwarding=False):
        self.lab = lab
        self.name = name
        self.upstream = upstream
        self.ns = lab.add_namespace(name, forwarding)
        self.addr4 = self.addr6 = self.prefix6 = None
        self.link_local = None
        upstream.attach(self)
        lines = ['link set lo up', f'link set {self.uplink} up',
                 f'addr add {self.link_local}/64 dev {self.uplink} nodad']
        if ipv4:
            lines += self._move4()
        if ipv6:
            lines += self._move6()
        self.ip(lines)

    def _move4(self):
        """Take a new IPv4 address; the batch lines for this namespace."""
        old, self.addr4 = self.addr4, self.upstream.assign4(self)
        bits, gateway = self.upstream.link4()
        lines = [f'addr add {self.addr4}/{bits} dev {self.uplink}']
        if old:
            lines.append(f'addr del {old}/{bits} dev {self.uplink}')
        if bits == 32:
            lines.append(f'route replace {gateway}/32 dev {self.uplink}')
        return lines + [
            f'route replace default via {gateway} dev {self.uplink}']

    def _move6(self):
        old = self.addr6
        self.upstream.assign6(self)
        bits = self.upstream.bits6
        lines = [f'addr add {self.addr6}/{bits} dev {self.uplink} nodad']
        if old:
            lines.append(f'addr del {old}/{bits} dev {self.uplink}')
        return lines + [
            f'route replace ::/0 via fe80::1 dev {self.uplink}']

    def change_address(self, v4=True, v6=False):
        """Move to another external address, and for IPv6 to another prefix."""
        lines = self._move4() if v4 and self.addr4 else []
        if v6 and self.addr6:
            lines += self._move6()
        self.ip(lines)

    def ip(self, lines):
        """Run a batch of iproute2 commands in the namespace."""
        _ip(self.ns.name, lines)

    def addr(self, family=4):
        return self.addr4 if family == 4 else self.addr6

    def socket(self, port=0, family=4, kind=socket.SOCK_DGRAM, addr=None):
        """A socket of this process that lives in the site, bound to port."""
        af = socket.AF_INET if family == 4 else socket.AF_INET6
        with self.ns.inside():
            sock = socket.socket(af, kind)
        self.lab.stack.callback(sock.close)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((addr or ('0.0.0.0' if family == 4 else '::'), port))
        return sock

    def _argv(self, argv):
        return ['ip', 'netns', 'exec', self.ns.name] + [str(a) for a in argv]

    def run(self, argv, timeout_s=10, check=True, text=None, env=None):
        """Run to the end; a CompletedProcess with text in stdout, stderr."""
        done = subprocess.run(self._argv(argv), input=text, text=True,
                              capture_output=True, timeout=timeout_s,
                              env=dict(os.environ, **(env or {})))
        if check and done.returncode != 0:
            raise LabError(f'{self.name}: {argv} ended with '
                           f'{done.returncode}: {done.stderr}{done.stdout}')
        return done

    def popen(self, argv, env=None, **kwargs):
        """Start in the background; output goes to .log, ended with the lab."""
        prog = os.path.basename(str(argv[0]))
        log = self.lab.new_log(f'{self.name}-{prog}')
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        with open(log, 'wb') as out:
            kwargs.setdefault('stdout', out)
            kwargs.setdefault('stderr', out)
            proc = subprocess.Popen(self._argv(argv), start_new_session=True,
                                    env=dict(os.environ, **(env or {})),
                                    **kwargs)
        proc.log = log
        self.lab.procs.append(proc)
        return proc

    def python(self, code, *args, timeout_s=10):
        """Run Python code in the site; what it printed."""
        return self.run([PYTHON, '-c', code, *args],
                        timeout_s=timeout_s).stdout

    def etc(self, file, text):
        """Give programs of this site their own /etc/FILE (resolv.conf...)."""
        folder = f'/etc/netns/{self.ns.name}'
        os.makedirs(folder, exist_ok=True)
        with open(f'{folder}/{file}', 'w', encoding='utf-8') as f:
            f.write(text)

    def conntrack(self, *filters):
        """The lines of `conntrack -L` that contain every one of filters."""
        lines = self.run(['conntrack', '-L']).stdout.splitlines()
        for family in ('ipv6',):
            lines += self.run(['conntrack', '-L', '-f', family]
                              ).stdout.splitlines()
        return [line for line in lines if all(f in line for f in filters)]


class Host(Site):
    """A machine that runs programs."""


class Router(Site):
    """Forwards for the sites behind it, with or without NAT and firewall."""

    uplink = 'wan'
    bits6 = 64

    def __init__(self, lab, name, upstream, **kind):
        self.nat = kind['nat']
        self.firewall = kind['firewall']
        self._sites = []
        self._last_host = 9
        self._last_delegation = 0
        self._forwards = []
        self.net4 = None
        super().__init__(lab, name, upstream, kind['ipv4'], kind['ipv6'],
                         forwarding=True)
        self.ip(self._lan_lines(kind['lan']))
        self.set_hole_life(kind['hole_life_s'])
        self._load_rules()

    def _lan_lines(self, lan):
        lines = ['link add name lan type bridge mcast_snooping 0',
                 'link set lan up', 'addr add fe80::1/64 dev lan nodad']
        if self.addr4:
            self.net4 = self.lab.new_lan(lan, public=not self.nat and
                                         self.upstream is self.lab.internet)
            lines.append(f'addr add {self.net4[1]}/24 dev lan')
            if not self.nat:
                self.upstream.route4(self, self.net4)
        if self.addr6:
            lines.append(f'addr add {self._lan6()[1]}/64 dev lan nodad')
        return lines

    def _lan6(self):
        return next(self.prefix6.subnets(new_prefix=64))

    # What the sites behind it ask of it as their upstream.

    def attach(self, site):
        self._sites.append(site)
        port = f'l{len(self._sites)}'
        _ip(None, [f'link add {port} netns {self.ns.name} type veth '
                   f'peer name {site.uplink} netns {site.ns.name}'])
        self.ip([f'link set {port} master lan up'])
        site.link_local = f'fe80::{len(self._sites) + 1:x}'

    def link4(self):
        return 24, self.net4[1]

    def assign4(self, _site):
        if not self.net4:
            raise LabError(f'{self.name} has no IPv4')
        self._last_host += 1
        return str(self.net4[self._last_host])

    def route4(self, site, net):
        self.ip([f'route replace {net} via {site.addr4} dev lan'])

    def assign6(self, site):
        if not self.prefix6:
            raise LabError(f'{self.name} has no IPv6')
        site.addr6 = str(self._lan6()[0x10 + self._sites.index(site)])
        if isinstance(site, Router):
            bits = min(self.prefix6.prefixlen + 8, 64)
            self._last_delegation += 1
            base = int(self.prefix6.network_address)
            site.prefix6 = ipaddress.ip_network(
                (base + (self._last_delegation << (128 - bits)), bits))
            self.ip([f'route replace {site.prefix6} via {site.link_local} '
                     'dev lan'])

    # What a scenario asks of it.

    def change_address(self, v4=True, v6=False):
        old_lan = self._lan6() if v6 and self.addr6 else None
        super().change_address(v4, v6)
        if v4 and self.net4 and not self.nat:
            self.upstream.route4(self, self.net4)
        if old_lan:
            self.ip([f'addr add {self._lan6()[1]}/64 dev lan nodad',
                     f'addr del {old_lan[1]}/64 dev lan'])
            for site in self._sites:
                site.change_address(v4=False, v6=True)
        self.flush()

    def flush(self):
        """Forget every connection: all holes close, all mappings end."""
        self.run(['conntrack', '-F'])

    def set_hole_life(self, seconds):
        """Seconds until an idle UDP hole closes, answered or not."""
        if seconds:
            self.ns.sysctl({
                'netfilter/nf_conntrack_udp_timeout': int(seconds),
                'netfilter/nf_conntrack_udp_timeout_stream': int(seconds),
            })

    def forward(self, port, host, to_port=None):
        """Forward a UDP port of the external address to a host behind."""
        self._forwards.append((port, host.addr4, to_port or port))
        self._load_rules()

    def set_firewall(self, firewall):
        self.firewall = firewall
        self._load_rules()

    def _load_rules(self):
        self.run(['nft', '-f', '-'], text=self._rules())

    def _rules(self):
        return ''.join(('flush ruleset\n', self._nat_rules(),
                        self._filter_rules()))

    def _nat_rules(self):
        if not self.nat:
            return ''
        lines = ['type nat hook prerouting priority dstnat']
        lines += [f'iifname "wan" udp dport {port} dnat to {addr}:{to}'
                  for port, addr, to in self._forwards]
        pre = '\n  '.join(lines)
        how = {'preserving': 'masquerade', 'sequential': 'masquerade',
               'random': 'masquerade fully-random'}[self.nat]
        lines = ['type nat hook postrouting priority srcnat']
        if self.nat == 'sequential':
            ports = ', '.join(f'{i} : {20000 + i}' for i in range(1000))
            lines.append('oifname "wan" meta l4proto udp masquerade to '
                         f':numgen inc mod 1000 map {{ {ports} }}')
        lines.append(f'oifname "wan" {how}')
        post = '\n  '.join(lines)
        return (f'table ip nat {{\n chain pre {{\n  {pre}\n }}\n'
                f' chain post {{\n  {post}\n }}\n}}\n')

    def _filter_rules(self):
        if not self.firewall:
            return ''
        unsolicited = {
            'drop': ('drop', 'drop'),
            'reject': ('reject', 'reject'),
            'icmp': ('accept', 'drop'),
        }[self.firewall]
        chains = []
        for hook, verdict in zip(('input', 'forward'), unsolicited):
            chains.append(
                f' chain {hook} {{\n'
                f'  type filter hook {hook} priority filter\n'
                '  ct state established,related accept\n'
                '  ct status dnat accept\n'
                '  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } '
                'accept\n'
                f'  iifname "wan" {verdict}\n }}\n')
        return f'table inet fw {{\n{"".join(chains)}}}\n'


class Internet:
    """The namespace that joins the public sites; delays live in wan.c."""

    bits6 = 128

    def __init__(self, lab):
        self.lab = lab
        self.ns = lab.add_namespace('inet', True)
        self._ports = {}
        self._last_prefix6 = 0
        self._last = {Host: 9, Router: 9}
        self._routes = {}
        _ip(self.ns.name, [
            'link set lo up', f'addr add {GATEWAY4}/32 dev lo',
            'tuntap add dev wan mode tun',
            'link set wan txqueuelen 4096 up',
            f'route add default dev wan table {WAN_TABLE}',
            f'route add ::/0 dev wan table {WAN_TABLE}',
            'route add blackhole default', 'route add blackhole ::/0'])
        for family in ('-4', '-6'):
            _ip(self.ns.name, [
                'rule add pref 100 iif lo lookup main',
                f'rule add pref 101 not iif wan lookup {WAN_TABLE}'], family)

    def attach(self, site):
        port = self._ports[site] = f'v{len(self._ports) + 1}'
        _ip(None, [f'link add {port} netns {self.ns.name} type veth '
                   f'peer name {site.uplink} netns {site.ns.name}'])
        _ip(self.ns.name, [f'link set {port} up',
                           f'addr add fe80::1/64 dev {port} nodad'])
        site.link_local = 'fe80::2'

    def link4(self):
        return 32, GATEWAY4

    def assign4(self, site):
        kind = Router if isinstance(site, Router) else Host
        self._last[kind] += 1
        net = '203.0.113' if kind is Router else '198.51.100'
        addr = f'{net}.{self._last[kind]}'
        self._route(site, 4, f'{addr}/32 dev {self._ports[site]}')
        return addr

    def route4(self, site, net):
        self._route(site, 'lan', f'{net} via {site.addr4} dev '
                    f'{self._ports[site]} onlink')

    def assign6(self, site):
        self._last_prefix6 += 1
        site.prefix6 = ipaddress.ip_network(
            f'2001:db8:{self._last_prefix6:x}::/48')
        # Outside the LAN's own /64, which is the first of the prefix.
        site.addr6 = str(site.prefix6[(0xff << 64) + 0x10])
        self._route(site, 6, f'{site.prefix6} via fe80::2 dev '
                    f'{self._ports[site]}')

    def _route(self, site, what, route):
        old = self._routes.pop((site, what), None)
        self._routes[site, what] = route
        _ip(self.ns.name, ([f'route del {old}'] if old else []) +
            [f'route replace {route}'])


class Wan:
    """Talks to the program that delays and drops (README.md: commands).

    Filters are the keywords src, dst (prefixes), port, sport, dport, type and
    sub (of an IAX2 full frame).
    """

    def __init__(self, lab):
        self._path = os.path.join(lab.dir, 'wan.sock')
        self._lab = lab
        argv = ['ip', 'netns', 'exec', lab.internet.ns.name, wan_program(),
                'wan', self._path]
        self.log_path = lab.new_log('wan-packets')
        with open(lab.new_log('wan'), 'wb') as out:
            self.proc = subprocess.Popen(argv, start_new_session=True,
                                         stdin=subprocess.DEVNULL,
                                         stdout=out, stderr=out)
        lab.procs.append(self.proc)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.settimeout(5)
        self._sock.bind(os.path.join(lab.dir, 'wan.client'))
        lab.stack.callback(self._sock.close)
        wait_until(self._listens, 5, 'the internet is up', every_s=0.002)

    def _listens(self):
        if self.proc.poll() is not None:
            raise LabError(f'wan ended with {self.proc.returncode}')
        try:
            self._sock.connect(self._path)
        except OSError:
            return False
        return True

    def command(self, *words, **filters):
        """Send one command; what follows "ok" in the answer."""
        words = list(words) + [f'{k}={v}' for k, v in filters.items()]
        line = ' '.join(str(w) for w in words)
        self._sock.send(line.encode())
        answer = self._sock.recv(65536).decode()
        if answer.startswith('error'):
            raise LabError(f'wan: {line}: {answer}')
        return answer.removeprefix('ok').strip()

    def delay(self, ms, jitter_ms=0, **filters):
        """One way, for the packets that match; in order within a pair."""
        return int(self.command('delay', ms, jitter_ms, **filters))

    def loss(self, probability, seed=1, **filters):
        return int(self.command('loss', probability, seed, **filters))

    def dup(self, probability, **filters):
        return int(self.command('dup', probability, **filters))

    def reorder(self, probability, extra_ms=30, **filters):
        return int(self.command('reorder', probability, extra_ms, **filters))

    def drop_nth(self, n, **filters):
        """Drop the nth matching UDP packet from now (1 is the next), once."""
        return int(self.command('drop', n, **filters))

    def drop(self, count=0, **filters):
        """Drop the first count matching packets from now, 0: all of them."""
        return int(self.command('dropmatch', f'count={count}', **filters))

    def clear(self, rule=None):
        """End one rule, or every one that drops."""
        self.command('clear', *([rule] if rule else []))

    def stats(self):
        return json.loads(self.command('stats'))

    def hits(self, rule):
        """How many packets a rule took effect on."""
        return next(r['hits'] for r in self.stats()['rules']
                    if r['id'] == rule)

    def reset(self):
        self.command('reset')

    def log(self, on=True):
        """A JSON object for each packet, to log_path."""
        self.command('log', self.log_path if on else 'off')

    def packets(self, **fields):
        """The logged packets whose fields have these values."""
        self.command('stats')
        with open(self.log_path, encoding='ascii') as f:
            rows = [json.loads(line) for line in f]
        return [r for r in rows
                if all(r.get(k) == v for k, v in fields.items())]

    def pcap(self, path='off'):
        self.command('pcap', path)


class Lab:
    """One emulated internet and the sites around it; a context manager."""

    _count = 0

    def __init__(self, delay_ms=25, log_packets=True):
        Lab._count += 1
        pid = os.getpid()
        self.prefix = f'kh-{pid}-{_start_time(pid):x}-{Lab._count}'
        self._delay_ms = delay_ms
        self._log_packets = log_packets
        self._namespaces = []
        self._old_handler = None
        self._lans = 0
        self._logs = 0
        self.procs = []
        self.stack = contextlib.ExitStack()
        self.dir = self.internet = self.wan = None

    def __enter__(self):
        self._old_handler = _set_handler(_raise_exit)
        try:
            self.dir = tempfile.mkdtemp(prefix='kh-lab-')
            self.internet = Internet(self)
            self.wan = Wan(self)
            self.wan.delay(self._delay_ms)
            self.wan.log(self._log_packets)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, _value, _trace):
        _set_handler(signal.SIG_IGN)
        if kind and issubclass(kind, Exception):
            self.print_logs()
        self._end_procs()
        self.stack.close()
        for ns in self._namespaces:
            ns.close()
        _delete_namespaces(ns.name for ns in self._namespaces)
        if self.dir and not os.environ.get('KEYHOLE_LAB_KEEP'):
            shutil.rmtree(self.dir, ignore_errors=True)
        if self._old_handler is not None:
            _set_handler(self._old_handler)

    def host(self, name, upstream=None, ipv4=None, ipv6=None):
        """A host; public with both families when it has no router."""
        upstream = upstream or self.internet
        behind = isinstance(upstream, Router)
        ipv4 = ipv4 if ipv4 is not None else not behind or bool(upstream.addr4)
        ipv6 = ipv6 if ipv6 is not None else not behind or bool(upstream.addr6)
        return Host(self, name, upstream, ipv4, ipv6)

    def router(self, name, upstream=None, nat='preserving', firewall=None,
               lan='home', ipv4=True, ipv6=False, hole_life_s=None):
        """A router at the internet or behind another router.

        nat: None, 'preserving' (keeps a free port), 'random' or 'sequential'
        (a new port for each destination).  firewall, for what arrives
        unsolicited from outside: None, 'drop', 'reject' (nft's reject), or
        'icmp' (the router itself answers port unreachable and keeps a
        connection; nothing is forwarded).  lan: 'home' (192.168) or 'carrier'
        (100.64); public addresses without NAT.  ipv6: a public prefix.
        """
        if nat not in NAT_KINDS or firewall not in FIREWALLS:
            raise ValueError(f'no such router: {nat}, {firewall}')
        return Router(self, name, upstream or self.internet, nat=nat,
                      firewall=firewall, lan=lan, ipv4=ipv4, ipv6=ipv6,
                      hole_life_s=hole_life_s)

    def add_namespace(self, name, forwarding):
        full = f'{self.prefix}-{name}'
        if os.path.exists(f'/run/netns/{full}'):
            raise LabError(f'{name} is there already')
        ns = Namespace(full, forwarding)
        self._namespaces.append(ns)
        return ns

    def new_lan(self, lan, public):
        self._lans += 1
        base = {'home': '192.168', 'carrier': '100.64'}[lan]
        return ipaddress.ip_network(
            f'{"198.18" if public else base}.{self._lans}.0/24')

    def new_log(self, name):
        self._logs += 1
        return os.path.join(self.dir, f'{self._logs:02}-{name}.log')

    def stop(self, proc, timeout_s=3):
        """End a program and its children; its exit status."""
        for signo in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proc.pid, signo)
            with contextlib.suppress(subprocess.TimeoutExpired):
                proc.wait(timeout_s)
                break
        return proc.returncode

    def _end_procs(self):
        running = [p for p in self.procs if p.poll() is None]
        for proc in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proc.pid, signal.SIGTERM)
        for proc in running:
            self.stop(proc)
        _kill_inside(ns.identity for ns in self._namespaces)

    def print_logs(self, lines=30):
        """The end of every log, to stderr."""
        for path in sorted(glob.glob(f'{self.dir}/*.log')):
            with open(path, encoding='utf-8', errors='replace') as f:
                tail = f.readlines()[-lines:]
            if tail:
                sys.stderr.write(f'--- {os.path.basename(path)}\n')
                sys.stderr.writelines(tail)


def _raise_exit(signo, _frame):
    raise SystemExit(128 + signo)


def _set_handler(handler):
    """SIGTERM's handler, if this is the main thread; the former one."""
    try:
        return signal.signal(signal.SIGTERM, handler)
    except ValueError:
        return None


def _kill_inside(identities):
    """Kill what still runs in namespaces, wherever it was started from."""
    identities = set(identities)
    for path in glob.glob('/proc/[0-9]*/ns/net'):
        with contextlib.suppress(OSError):
            status = os.stat(path)
            pid = int(path.split('/')[2])
            if (status.st_dev, status.st_ino) in identities and \
                    pid != os.getpid():
                os.kill(pid, signal.SIGKILL)


def _delete_namespaces(names):
    names = list(names)
    with contextlib.suppress(LabError):
        _ip(None, [f'netns del {name}' for name in names])
    for name in names:
        shutil.rmtree(f'/etc/netns/{name}', ignore_errors=True)


def clean():
    """Remove the namespaces of labs whose process is gone; their names."""
    gone = []
    for path in glob.glob('/run/netns/kh-*-*-*-*'):
        name = os.path.basename(path)
        _, pid, start, _ = name.split('-', 3)
        if _start_time(pid) != int(start, 16):
            gone.append(name)
    def identity(name):
        status = os.stat(f'/run/netns/{name}')
        return status.st_dev, status.st_ino
    _kill_inside(identity(name) for name in gone)
    _delete_namespaces(gone)
    return gone


if __name__ == '__main__':
    if sys.argv[1:] != ['--clean']:
        sys.exit('usage: lab.py --clean')
    print('\n'.join(clean()) or 'nothing left over')
