# SPDX-License-Identifier: MIT
"""Registration by user name and MD5 secret, as Asterisk does it: both sides."""

import random
import socket
import struct
import time

import iax2
from asterisk_transport import Dialogue

AGAIN_PART = 50 / 60  # of what the registrar granted
REFRESH_S = 60


def sockaddr(addr):
    """APPARENT_ADDR: what a Linux machine keeps an address in."""
    host, port = addr
    if ':' in host:
        return struct.pack('<H', socket.AF_INET6) + struct.pack('>HI', port, 0) + \
            socket.inet_pton(socket.AF_INET6, host) + bytes(4)
    return struct.pack('<H', socket.AF_INET) + struct.pack('>H', port) + socket.inet_aton(host) + bytes(8)


def from_sockaddr(octets):
    """(host, port), None for what is no address."""
    if len(octets) == 16 and octets[:2] == struct.pack('<H', socket.AF_INET):
        return socket.inet_ntoa(octets[4:8]), struct.unpack('>H', octets[2:4])[0]
    if len(octets) == 28 and octets[:2] == struct.pack('<H', socket.AF_INET6):
        return socket.inet_ntop(socket.AF_INET6, octets[8:24]), struct.unpack('>H', octets[2:4])[0]
    return None


class Registration(Dialogue):
    """A client's registration.  States: new, registered, released, down."""

    def __init__(self, pbx, addr, username, secret, refresh_s=REFRESH_S):
        super().__init__(pbx, addr)
        self.username, self.secret, self.asked_s = username, secret, refresh_s
        self.refresh_s = self.apparent = self.datetime = None
        self.granted = 0         # how often it was
        self._token = b''
        self._what = iax2.REGREQ
        self._again_at = float('inf')

    def ask(self, what=iax2.REGREQ):
        with self.pbx.lock:
            self.restart()
            self.there, self._what, self.got = 0, what, []
            self._request()

    def release(self):
        self.ask(iax2.REGREL)

    def _request(self, *more):
        self.iax(self._what, (iax2.IE_USERNAME, self.username), *more,
                 (iax2.IE_REFRESH, iax2.u16(self.asked_s)), (iax2.IE_CALLTOKEN, self._token))

    def on_token(self, f):
        if self.got or self._token:
            return
        self.restart()
        self.there, self._token = 0, f.ies.get(iax2.IE_CALLTOKEN, b'')
        self._request()
        self._token = b''

    def handle(self, f):
        if f.is_iax(iax2.REGAUTH):
            self._request((iax2.IE_MD5_RESULT, iax2.md5_result(f.text(iax2.IE_CHALLENGE), self.secret)))
        elif f.is_iax(iax2.REGACK) and self._what == iax2.REGREL:
            self.state = 'released'
            self._again_at = float('inf')
        elif f.is_iax(iax2.REGACK):
            self.state = 'registered'
            self.granted += 1
            self.refresh_s = f.number(iax2.IE_REFRESH)
            self.datetime = f.number(iax2.IE_DATETIME)
            self.apparent = from_sockaddr(f.ies.get(iax2.IE_APPARENT_ADDR, b''))
            self._again_at = time.monotonic() + (self.refresh_s or REFRESH_S) * AGAIN_PART
        elif f.is_iax(iax2.REGREJ):
            self.end(f)

    def tick(self, now):
        super().tick(now)
        if now >= self._again_at:
            self._again_at = float('inf')
            self.ask()

    def next_due(self):
        return min(super().next_due(), self._again_at)


class Registrar(Dialogue):
    """The other side of one exchange."""

    def __init__(self, pbx, addr):
        super().__init__(pbx, addr)
        self._challenge = str(random.randrange(10 ** 8, 10 ** 9))

    def handle(self, f):
        if f.is_iax(iax2.REGREQ) or f.is_iax(iax2.REGREL):
            self._on_request(f)

    def _on_request(self, f):
        name = f.text(iax2.IE_USERNAME)
        secret = self.pbx.clients.get(name)
        result = f.text(iax2.IE_MD5_RESULT)
        if not result:
            self.iax(iax2.REGAUTH, (iax2.IE_AUTHMETHODS, iax2.u16(iax2.AUTH_MD5)),
                     (iax2.IE_CHALLENGE, self._challenge), (iax2.IE_USERNAME, name))
        elif secret is None or result.lower() != iax2.md5_result(self._challenge, secret):
            self.ack(f.ts)
            self.iax(iax2.REGREJ, (iax2.IE_CAUSE, 'Registration Refused'),
                     (iax2.IE_CAUSECODE, iax2.u8(29)))
            self.pbx.refused.append(name)
        elif f.is_iax(iax2.REGREL):
            self.pbx.registered.pop(name, None)
            self.iax(iax2.REGACK, (iax2.IE_USERNAME, name), (iax2.IE_DATETIME, iax2.u32(0)))
        else:
            self.pbx.registered[name] = self.addr
            self.pbx.registrations.append((time.monotonic(), name))
            refresh = max(f.number(iax2.IE_REFRESH) or REFRESH_S, REFRESH_S)
            self.iax(iax2.REGACK, (iax2.IE_USERNAME, name), (iax2.IE_DATETIME, iax2.u32(0)),
                     (iax2.IE_REFRESH, iax2.u16(refresh)),
                     (iax2.IE_APPARENT_ADDR, sockaddr(self.addr)))

    def receive(self, f):
        # A client may begin again under the same call number.
        fresh = f.dst == 0 and f.oseq == 0 and (f.is_iax(iax2.REGREQ) or f.is_iax(iax2.REGREL))
        if fresh and self.got and f.ts != self.got[0].ts:
            self.restart()
            self.got = []
        super().receive(f)
