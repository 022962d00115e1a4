# SPDX-License-Identifier: MIT
"""The router that opens ports when asked: Debian's miniupnpd at a lab's router.

A site of its own system: the machine's own miniupnpd, if any, is left alone.
"""

import os
import shutil

from lab import wait_until
from tap import equal

# What the router does not hear of the port that PCP and NAT-PMP share: PCP's
# first octet is 2.
DEAF = {('pcp',): '@th,64,8 != 2', ('natpmp',): '@th,64,8 == 2', ('upnp',): ''}


def missing_miniupnpd():
    return None if shutil.which('miniupnpd') else 'needs miniupnpd'


class Miniupnpd:
    """methods: of 'pcp', 'natpmp' and 'upnp', those that it answers.

    Its rules go where a distribution's would: accepted IPv6 pinholes into the
    router's own filter, translations into a table of their own.
    """

    def __init__(self, router, methods=('pcp', 'natpmp', 'upnp'), **conf):
        self.router = router
        self.methods = methods
        self.dir = os.path.join(router.lab.dir, f'miniupnpd-{router.name}')
        os.makedirs(self.dir)
        self.leases4 = os.path.join(self.dir, 'leases')
        self.leases6 = os.path.join(self.dir, 'leases6')
        self.process = None
        self._conf = os.path.join(self.dir, 'conf')
        with open(self._conf, 'w', encoding='ascii') as f:
            f.writelines(f'{k}={v}\n' for k, v in self._settings(conf).items())
            f.write('allow 1024-65535 0.0.0.0/0 1024-65535\n'
                    'deny 0-65535 0.0.0.0/0 0-65535\n')
        self._rules()

    def _settings(self, more):
        yes = {True: 'yes', False: 'no'}
        return {
            'ext_ifname': 'wan', 'listening_ip': 'lan',
            'enable_natpmp': yes[bool({'pcp', 'natpmp'} & set(self.methods))],
            'enable_upnp': yes['upnp' in self.methods],
            'secure_mode': 'yes', 'min_lifetime': 120, 'max_lifetime': 86400,
            'lease_file': self.leases4, 'lease_file6': self.leases6,
            'uuid': '00000000-0000-0000-0000-000000000001',
            'upnp_table_name': 'fw', 'upnp_nat_table_name': 'upnp',
            'upnp_forward_chain': 'upnp', 'upnp_nat_chain': 'pre',
            'upnp_nat_postrouting_chain': 'post', **more}

    def _rules(self):
        deaf = DEAF.get(tuple(self.methods))
        self.router.run(['nft', '-f', '-'], text='''
            table inet upnp {
                chain pre { type nat hook prerouting priority dstnat - 1; }
                chain post { type nat hook postrouting priority srcnat - 1; }
            }
            add chain inet fw upnp
            insert rule inet fw forward jump upnp
            ''' + (f'insert rule inet fw input udp dport 5351 {deaf} drop\n' if deaf is not None else ''))

    def start(self):
        self.process = self.router.popen(
            ['miniupnpd', '-d', '-f', self._conf, '-P', os.path.join(self.dir, 'pid')])
        wait_until(lambda: 'HTTP listening on port' in self.log() or
                   'Listening for NAT-PMP/PCP' in self.log(), 5, 'miniupnpd to start')
        return self

    def stop(self):
        self.router.lab.stop(self.process)

    def reboot(self):
        """It forgets what it knew, and its rules are gone."""
        self.stop()
        for path in (self.leases4, self.leases6):
            if os.path.exists(path):
                os.remove(path)
        for chain in ('upnp pre', 'upnp post', 'fw upnp'):
            self.router.run(['nft', 'flush', 'chain', 'inet', *chain.split()])
        self.router.flush()
        equal([], self.rules(), 'rules of a router that starts')
        self.start()

    def log(self):
        with open(self.process.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def rules(self, port=4569):
        """The rules that let a UDP port through, translations and pinholes."""
        said = ''.join(self.router.run(['nft', 'list', 'chain', 'inet', *c.split()]).stdout
                       for c in ('upnp pre', 'fw upnp'))
        return [row.strip() for row in said.splitlines() if f'{port}' in row]
