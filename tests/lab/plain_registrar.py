# SPDX-License-Identifier: MIT
"""A small plain IAX2 registrar: call token, MD5, REGACK as Asterisk sends it.

    plain_registrar.py ADDRESS PORT USER SECRET [--mode MODE]

MODE is answer, refuse, or silent.  A line with a mode on standard input
changes it.  Each step is told on standard output, a line of JSON each.
"""

import argparse
import hashlib
import json
import select
import socket
import struct
import sys

IAX, ACK = 6, 0x04
REGREQ, REGAUTH, REGACK, REGREJ, REGREL = 0x0d, 0x0e, 0x0f, 0x10, 0x11
CALLTOKEN = 0x28
IE_USERNAME, IE_AUTHMETHODS, IE_CHALLENGE, IE_MD5 = 0x06, 0x0e, 0x0f, 0x10
IE_APPARENT, IE_REFRESH, IE_CAUSE, IE_CAUSECODE = 0x12, 0x13, 0x16, 0x2a
IE_CALLTOKEN = 0x36
OUR_CALLNO = 4711


def elements(body):
    found = {}
    while len(body) >= 2:
        kind, size = body[0], body[1]
        found.setdefault(kind, body[2:2 + size])
        body = body[2 + size:]
    return found


def element(kind, value):
    return bytes([kind, len(value)]) + value


def sockaddr(peer):
    if '.' in peer[0]:
        host = socket.inet_aton(peer[0].removeprefix('::ffff:'))
        return b'\x02\x00' + struct.pack('>H', peer[1]) + host + bytes(8)
    return (b'\x0a\x00' + struct.pack('>HI', peer[1], 0) +
            socket.inet_pton(socket.AF_INET6, peer[0]) + bytes(4))


class Registrar:
    """Answers one user; the token and the challenge are constants, since
    this registrar guards nothing."""

    token = b'1700000000?0123456789'
    challenge = '271828182'

    def __init__(self, sock, user, secret, mode):
        self.sock, self.user, self.secret = sock, user, secret
        self.mode = mode

    def tell(self, **what):
        print(json.dumps(what), flush=True)

    def send(self, peer, request, subclass, body=b'', oseq=0, ts=None):
        src, _, sent_ts, their_oseq = request
        header = struct.pack('>HHIBBBB', 0x8000 | OUR_CALLNO, src,
                             sent_ts if ts is None else ts, oseq,
                             (their_oseq + 1) & 255, IAX, subclass)
        self.sock.sendto(header + body, peer)

    def on_datagram(self, data, peer):
        if len(data) < 12 or not data[0] & 0x80 or self.mode == 'silent':
            return
        src, dst, ts, oseq, _, kind, sub = struct.unpack('>HHIBBBB',
                                                        data[:12])
        request = (src & 0x7fff, dst & 0x7fff, ts, oseq)
        if kind != IAX:
            return
        if sub == ACK:
            self.tell(step='acked', oseq=oseq)
        elif sub in (REGREQ, REGREL):
            self.on_request(request, sub, elements(data[12:]), peer)

    def on_request(self, request, sub, ies, peer):
        if IE_MD5 in ies:
            self.on_proof(request, sub, ies, peer)
        elif ies.get(IE_CALLTOKEN) != self.token:
            self.send(peer, request, CALLTOKEN,
                      element(IE_CALLTOKEN, self.token))
        else:
            self.send(peer, request, REGAUTH,
                      element(IE_AUTHMETHODS, b'\x00\x02') +
                      element(IE_CHALLENGE, self.challenge.encode()) +
                      element(IE_USERNAME, ies.get(IE_USERNAME, b'')))

    def on_proof(self, request, sub, ies, peer):
        want = hashlib.md5((self.challenge + self.secret).encode())
        good = (ies.get(IE_USERNAME, b'').decode('latin-1') == self.user and
                ies[IE_MD5].decode('latin-1') == want.hexdigest())
        if not good or self.mode == 'refuse':
            self.send(peer, request, ACK, oseq=1)
            self.send(peer, request, REGREJ,
                      element(IE_CAUSE, b'Registration Refused') +
                      element(IE_CAUSECODE, b'\x1d'), oseq=1)
            self.tell(step='refused', proof=good)
            return
        body = element(IE_USERNAME, self.user.encode())
        if sub == REGREQ:
            body += element(IE_REFRESH, struct.pack('>H', 60))
            body += element(IE_APPARENT, sockaddr(peer))
        self.send(peer, request, REGACK, body, oseq=1)
        self.tell(step='released' if sub == REGREL else 'registered',
                  peer=list(peer[:2]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument('address')
    p.add_argument('port', type=int)
    p.add_argument('user')
    p.add_argument('secret')
    p.add_argument('--mode', default='answer',
                   choices=('answer', 'refuse', 'silent'))
    args = p.parse_args()
    family = socket.AF_INET6 if ':' in args.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((args.address, args.port))
    registrar = Registrar(sock, args.user, args.secret, args.mode)
    registrar.tell(step='ready')
    while True:
        ready, _, _ = select.select([sock, sys.stdin], [], [])
        if sock in ready:
            registrar.on_datagram(*sock.recvfrom(2048))
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            registrar.mode = line.strip()


if __name__ == '__main__':
    main()
