# SPDX-License-Identifier: MIT
"""The networks that nodes live in, with a registrar, and the proof that each
keeps strangers out."""

from lab import plain_new
from stations import Node, Registrar, with_second_address
from tap import Failed, equal

CALLTOKEN = 0x28


class World:
    """A registrar on a public address, and two nodes wherever they are put."""

    def __init__(self, lab, measured=False, **registrar):
        """measured: the registrar tells a network's kind from two addresses."""
        self.lab = lab
        self.registrar_host = lab.host('registrar')
        if measured:
            registrar.update(with_second_address(lab, self.registrar_host))
        self.registrar = Registrar(lab, self.registrar_host, **registrar)
        self.stranger = lab.host('stranger')
        self.site = {}
        self.outside = {}
        self.nodes = []

    def node(self, number, site, family=4, outside=None, **conf):
        """A node at a site; outside: the router whose address the world sees."""
        node = Node(self.lab, site, number, self.registrar, family=family, **conf)
        self.site[number] = site
        self.outside[number] = outside or site
        self.nodes.append(node)
        return node

    def public(self, number, name=None):
        return self.node(number, self.lab.host(name or f'host{number}'))

    def behind(self, number, *routers, **conf):
        """Behind routers, the outermost first: dicts of lab.router's arguments."""
        upstream, first = None, None
        for i, kind in enumerate(routers):
            kind = dict(kind)
            kind.setdefault('lan', 'home' if i == len(routers) - 1 else 'carrier')
            upstream = self.lab.router(f'r{number}{i}', upstream, **kind)
            first = first or upstream
        self.outermost = first
        site = self.lab.host(f'host{number}', upstream)
        family = conf.pop('family', 4)
        return self.node(number, site, family=family, outside=first, **conf)

    def up(self, timeout_s=10):
        for node in self.nodes:
            node.wait_registered(timeout_s)

    def strangers_get_nothing(self, target, family=4):
        """The negative control: a plain NEW to the target's address, from a
        stranger and from the other nodes' sites, gets no IAX2 answer."""
        seen = next(r['apparent'] for r in target.status()['registrars'])
        host, port = seen.rsplit(':', 1)
        host = host.strip('[]')
        sites = [self.stranger] + [self.site[n.number] for n in self.nodes if n is not target]
        for site in sites:
            got = plain_new(site, host, int(port), timeout_s=0.6, called=target.number)
            if got not in (None, 'icmp'):
                raise Failed(f'control: a plain NEW from {site.name} to {target.number} at {seen} '
                             f'was answered with {got!r}: this topology proves nothing')

    def control_can_succeed(self):
        """The same NEW is answered by a node that is reachable."""
        node = self.public('2999', 'open')
        node.wait_registered()
        equal(CALLTOKEN, plain_new(self.stranger, node.host.addr4, timeout_s=2),
              'a plain NEW to a reachable node')


CARRIER = {'nat': 'preserving', 'firewall': 'drop'}
CARRIER_ICMP = {'nat': 'preserving', 'firewall': 'icmp'}
CARRIER_RANDOM = {'nat': 'random', 'firewall': 'drop'}
HOME = {'nat': 'preserving', 'firewall': 'drop'}
FIREWALL4 = {'nat': None, 'firewall': 'drop'}
FIREWALL6 = {'nat': None, 'firewall': 'drop', 'ipv4': False, 'ipv6': True}
