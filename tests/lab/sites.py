# SPDX-License-Identifier: MIT
"""The sites of a lab: hosts, routers, and the internet that joins them.

Everything has one uplink.  At the internet it is a point-to-point link with an
address of its own; behind a router it is a port of the router's bridge.
"""

import ipaddress
import os
import socket
import subprocess

from netns import LabError, ip_batch, realtime, wait_link

PYTHON = '/usr/bin/python3'
GATEWAY4 = '192.0.2.1'
WAN_TABLE = 100
NAT_KINDS = (None, 'preserving', 'random', 'sequential')
FIREWALLS = (None, 'drop', 'reject', 'icmp')


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
        wait_link(self.ns.name, self.uplink)

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
        ip_batch(self.ns.name, lines)

    def addr(self, family=4):
        return self.addr4 if family == 4 else self.addr6

    def socket(self, port=0, family=4, kind=socket.SOCK_DGRAM, addr=None):
        """A socket of this process that lives in the site, bound to port."""
        af = socket.AF_INET if family == 4 else socket.AF_INET6
        with self.ns.inside():
            sock = socket.socket(af, kind)
        self.lab.stack.callback(sock.close)
        if family == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
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
            proc = subprocess.Popen(self._argv(realtime([str(a) for a in argv])),
                                    start_new_session=True,
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
        path = f'/etc/netns/{self.ns.name}/{file}'
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)

    def conntrack(self, *filters):
        """The lines of `conntrack -L` that contain every one of filters."""
        lines = []
        for family in ('ipv4', 'ipv6'):
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
        self._nets = []
        self.net4 = None
        self.public = not self.nat and upstream.public
        super().__init__(lab, name, upstream, kind['ipv4'], kind['ipv6'],
                         forwarding=True)
        self.ip(self._lan_lines(kind['lan']))
        self.set_hole_life(kind['hole_life_s'])
        self._load_rules()

    def _lan_lines(self, lan):
        lines = ['link add name lan type bridge mcast_snooping 0',
                 'link set lan up', 'addr add fe80::1/64 dev lan nodad']
        if self.addr4:
            self.net4 = self.lab.new_lan(lan, self.public)
            lines.append(f'addr add {self.net4[1]}/24 dev lan')
            if not self.nat:
                self._announce4(self.net4)
        if self.addr6:
            lines.append(f'addr add {self._lan6()[1]}/64 dev lan nodad')
        return lines

    def _lan6(self):
        return next(self.prefix6.subnets(new_prefix=64))

    # What the sites behind it ask of it as their upstream.

    def attach(self, site):
        self._sites.append(site)
        port = f'l{len(self._sites)}'
        ip_batch(None, [f'link add {port} netns {self.ns.name} type veth '
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
        if not self.nat and net not in self._nets:
            self._announce4(net)

    def _announce4(self, net):
        self._nets.append(net)
        self.upstream.route4(self, net)

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
        if v4:
            for net in self._nets:
                self.upstream.route4(self, net)
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
    public = True
    router_net = '203.0.113'  # a /24; routers made from now on are in it

    def __init__(self, lab):
        self.lab = lab
        self.ns = lab.add_namespace('inet', True)
        self._ports = {}
        self._last_prefix6 = 0
        self._last = {Host: 9, Router: 9}
        self._routes = {}
        ip_batch(self.ns.name, [
            'link set lo up', f'addr add {GATEWAY4}/32 dev lo',
            'tuntap add dev wan mode tun',
            'link set wan txqueuelen 4096 up',
            f'route add default dev wan table {WAN_TABLE}',
            f'route add ::/0 dev wan table {WAN_TABLE}',
            'route add blackhole default', 'route add blackhole ::/0'])
        for family in ('-4', '-6'):
            ip_batch(self.ns.name, [
                'rule add pref 100 iif lo lookup main',
                f'rule add pref 101 not iif wan lookup {WAN_TABLE}'], family)

    def attach(self, site):
        port = self._ports[site] = f'v{len(self._ports) + 1}'
        ip_batch(None, [f'link add {port} netns {self.ns.name} type veth '
                   f'peer name {site.uplink} netns {site.ns.name}'])
        ip_batch(self.ns.name, [f'link set {port} up',
                           f'addr add fe80::1/64 dev {port} nodad'])
        site.link_local = 'fe80::2'

    def link4(self):
        return 32, GATEWAY4

    def assign4(self, site):
        kind = Router if isinstance(site, Router) else Host
        self._last[kind] += 1
        net = self.router_net if kind is Router else '198.51.100'
        addr = f'{net}.{self._last[kind]}'
        self._route(site, 4, f'{addr}/32 dev {self._ports[site]}')
        return addr

    def route4(self, site, net):
        self._route(site, net, f'{net} via {site.addr4} dev '
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
        ip_batch(self.ns.name, ([f'route del {old}'] if old else []) +
            [f'route replace {route}'])
