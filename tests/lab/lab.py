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
import glob
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from netns import (LabError, Namespace, clean, delete_namespaces, kill_inside,
                   start_time, wait_until)
from probe import (ADDRESS, ADDRESS_PORT, CALLTOKEN, INDEPENDENT, REJECT,
                   Answerer, Path, classify, ping_ms, plain_new, receive)
from sites import FIREWALLS, NAT_KINDS, Host, Internet, Router
from tunnat import TUN_KINDS, TUN_OPTIONS, TunRouter
import wire
from wanctl import Wan, build_dir, wan_program

__all__ = ['ADDRESS', 'ADDRESS_PORT', 'CALLTOKEN', 'INDEPENDENT', 'REJECT',
           'Answerer', 'Host', 'Lab', 'LabError', 'Path', 'Router', 'build_dir',
           'classify', 'missing', 'ping_ms', 'plain_new', 'receive',
           'wait_until']


def missing():
    """Why no lab can run on this machine, or None.

    A program that is not built is an error, not a property of the machine.
    """
    if os.geteuid() != 0:
        return 'needs root'
    for tool in ('ip', 'nft', 'conntrack'):
        if not shutil.which(tool):
            return f'needs {tool}'
    if not os.path.exists('/dev/net/tun'):
        return 'needs /dev/net/tun'
    if os.environ.get('KEYHOLE_LAB_WIRE') and not wire.tshark():
        return 'needs tshark'
    if not os.path.exists(wan_program()):
        raise LabError(f'not built: {wan_program()} (set KEYHOLE_BUILD?)')
    return None


class Lab:
    """One emulated internet and the sites around it; a context manager.

    With KEYHOLE_LAB_WIRE in the environment, what crossed it must be sound to
    Wireshark's dissector, unless garbage is expected.
    """

    _count = 0

    def __init__(self, delay_ms=25, log_packets=True, garbage=False):
        Lab._count += 1
        pid = os.getpid()
        self.prefix = f'kh-{pid}-{start_time(pid):x}-{Lab._count}'
        self._delay_ms = delay_ms
        self._log_packets = log_packets
        self._capture = None
        self._check_wire = bool(os.environ.get('KEYHOLE_LAB_WIRE')) and not garbage
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
            self.dir = tempfile.mkdtemp(prefix=f'{self.prefix}-')
            self.internet = Internet(self)
            self.wan = Wan(self)
            self.wan.delay(self._delay_ms)
            self.wan.log(self._log_packets)
            if self._check_wire:
                self._capture = os.path.join(self.dir, 'checked.pcap')
                self.wan.pcap(self._capture)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, _value, _trace):
        _set_handler(signal.SIG_IGN)
        if self.wan:
            self.wan.tell_standstill()
        self._end_procs()
        faults = wire.faults(self._capture) if self._capture and not kind else []
        if kind and kind is not KeyboardInterrupt:
            self.print_logs()
        self.stack.close()
        for ns in self._namespaces:
            ns.close()
        delete_namespaces(ns.name for ns in self._namespaces)
        if self.dir and not os.environ.get('KEYHOLE_LAB_KEEP'):
            shutil.rmtree(self.dir, ignore_errors=True)
        if self._old_handler is not None:
            _set_handler(self._old_handler)
        if faults:
            raise LabError('on the wire: ' + '; '.join(faults[:5]))

    def host(self, name, upstream=None, ipv4=None, ipv6=None):
        """A host; public with both families when it has no router."""
        upstream = upstream or self.internet
        behind = isinstance(upstream, Router)
        ipv4 = ipv4 if ipv4 is not None else not behind or bool(upstream.addr4)
        ipv6 = ipv6 if ipv6 is not None else not behind or bool(upstream.addr6)
        return Host(self, name, upstream, ipv4, ipv6)

    def router(self, name, upstream=None, nat='preserving', firewall=None,
               lan='home', ipv4=True, ipv6=False, hole_life_s=None, **options):
        """A router at the internet or behind another router.

        nat: None, 'preserving' (keeps a free port), 'random' or 'sequential'
        (a new port for each destination).  firewall, for what arrives
        unsolicited from outside: None, 'drop', 'reject' (nft's reject), or
        'icmp' (the router itself answers port unreachable and keeps a
        connection; nothing is forwarded).  Or nat is one of TUN_KINDS with the
        options of nat.c: IPv4 only, no firewall but its filtering.  lan: 'home' (192.168) or 'carrier'
        (100.64); public addresses without NAT.  ipv6: a public prefix.
        """
        if nat in TUN_KINDS:
            if firewall or ipv6 or not ipv4 or set(options) - set(TUN_OPTIONS):
                raise ValueError(f'no such router: {nat}, {firewall}, {options}')
            return TunRouter(self, name, upstream or self.internet, options,
                             nat=nat, firewall=None, lan=lan, ipv4=True,
                             ipv6=False, hole_life_s=hole_life_s)
        if options or nat not in NAT_KINDS or firewall not in FIREWALLS:
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
        self._end([proc], timeout_s)
        return proc.returncode

    @staticmethod
    def _end(procs, timeout_s=3):
        running = [p for p in procs if p.poll() is None]
        for proc in running:
            _signal_group(proc, signal.SIGTERM)
        for proc in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                proc.wait(timeout_s)
            _signal_group(proc, signal.SIGKILL)
            proc.wait()

    def _end_procs(self):
        # The internet last: programs may have something to say as they end.
        self._end(self.procs[1:])
        self._end(self.procs[:1])
        kill_inside(ns.name for ns in self._namespaces)

    def print_logs(self, lines=30):
        """The end of every log, to stderr."""
        for path in sorted(glob.glob(f'{self.dir}/*.log')):
            with open(path, encoding='utf-8', errors='replace') as f:
                tail = f.readlines()[-lines:]
            if tail:
                sys.stderr.write(f'--- {os.path.basename(path)}\n')
                sys.stderr.writelines(tail)


def _signal_group(proc, signo):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(proc.pid, signo)


def _raise_exit(signo, _frame):
    raise SystemExit(128 + signo)


def _set_handler(handler):
    """SIGTERM's handler, if this is the main thread; the former one."""
    try:
        return signal.signal(signal.SIGTERM, handler)
    except ValueError:
        return None


if __name__ == '__main__':
    if sys.argv[1:] != ['--clean']:
        sys.exit('usage: lab.py --clean')
    print('\n'.join(clean()) or 'nothing left over')
