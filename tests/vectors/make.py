#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the test vectors of OPEN-OVER.md, from its text alone: a second
implementation, in Python's standard library, that shares no code with the
first.  `make.py > open-over.txt`; `make.py --check FILE` prints TAP.
"""

import hashlib
import struct
import sys

# --- X25519 (RFC 7748) and Ed25519 (RFC 8032), plainly ----------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def x25519(secret, u=9):
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, 'little')
    x2, z2, x3, z3 = 1, 0, u, 1
    swap = 0
    for bit in reversed(range(255)):
        now = k >> bit & 1
        if swap ^ now:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = now
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb)**2 % P, u * (da - cb)**2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, 'little')


def base_point():
    xx = (BASE_Y * BASE_Y - 1) * pow(D * BASE_Y * BASE_Y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 else x, BASE_Y)


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P)


def multiply(k, p):
    q = (0, 1)
    while k:
        if k & 1:
            q = add(q, p)
        p = add(p, p)
        k >>= 1
    return q


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, 'little')


class Identity:
    def __init__(self, seed):
        h = bytearray(hashlib.sha512(seed).digest())
        h[0] &= 248
        h[31] = h[31] & 127 | 64
        self.a = int.from_bytes(h[:32], 'little')
        self.prefix = bytes(h[32:])
        self.public = encode(multiply(self.a, base_point()))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), 'little') % L
        point = encode(multiply(r, base_point()))
        k = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), 'little') % L
        return point + ((r + k * self.a) % L).to_bytes(32, 'little')


def chacha20(key, nonce, data):
    def quarter(s, a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = s[x] + s[y] & 0xffffffff
            v = s[z] ^ s[x]
            s[z] = (v << n | v >> 32 - n) & 0xffffffff

    first = list(struct.unpack('<4I', b'expand 32-byte k') + struct.unpack('<8I', key) + (0,) +
                 struct.unpack('<3I', nonce))
    s = first[:]
    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                  (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, *q)
    stream = struct.pack('<16I', *((a + b) & 0xffffffff for a, b in zip(s, first)))
    return bytes(a ^ b for a, b in zip(data, stream))


# --- OPEN-OVER.md 4.2 -------------------------------------------------------

def statement_input(label, parts):
    return label.encode() + b'\0' + b''.join(struct.pack('>H', len(p)) + p for p in parts)


def statement(label, parts):
    return b'\0' + hashlib.blake2b(statement_input(label, parts)).digest()


def derive(key, label, parts=()):
    return hashlib.blake2b(statement_input(label, parts), key=key).digest()[:32]


# --- section 5 --------------------------------------------------------------

def header(subclass, ts=1000, src=1, dst=0, iseq=0):
    return struct.pack('>HHIBBBB', 0x8000 | src, dst, ts, 0, iseq, 6, subclass)


def element(kind, value):
    return bytes((kind, len(value))) + value


def session_element(session, counter):
    return element(0xe0, session + struct.pack('>Q', counter))


def seal(frame, key):
    frame += b'\xe1\x10'
    return frame + hashlib.blake2b(frame, key=key, digest_size=16).digest()


def padded(frame, total):
    room = total - 18 - len(frame) - 2
    return frame + element(0xee, bytes(room))


def address(a, b, c, d, port):
    return bytes((a, b, c, d)) + struct.pack('>H', port)


def measures(session, up, down):
    """Section 4.10: two questions, and what answers them."""
    asked = element(0xe6, b'\x2a' * 8)
    seen, cookie = address(203, 0, 113, 10, 40001), element(0xe4, bytes.fromhex('0123456789abcdef'))

    def question(counter, more=b''):
        return seal(padded(header(0x6b, ts=0) + session_element(session, counter) + asked + more,
                           120), up)

    def answer(counter, more=b''):
        return seal(header(0x6b, ts=0, dst=1, iseq=1) + session_element(session, counter) + asked +
                    more, down)

    yield 'measure_seen_question', question(1)
    yield 'measure_seen_answer', answer(1, element(0xe5, seen) + cookie)
    yield 'measure_there_question', question(2, element(0xf2, b'\x02') + element(0xec, seen) +
                                             cookie)
    yield 'measure_there_arrives', answer(2, element(0xf2, b'\x02'))
    yield 'measure_there_sent', answer(3)


def moves(call_key, caller, called):
    """Section 4.8: a call whose caller moves, and then the one it called."""
    ends = [caller.public, called.public]
    move_id = derive(call_key, 'keyhole move id')[:8]
    keys = {caller: derive(call_key, 'keyhole move caller', ends),
            called: derive(call_key, 'keyhole move target', ends)}
    cookie = bytes.fromhex('fedcba9876543210')

    yield 'move_id', move_id
    yield 'move_key_caller', keys[caller]
    yield 'move_key_target', keys[called]

    def frame(sender, number, step, rest):
        numbers = {'src': 0x102, 'dst': 0x203} if sender is caller else {'src': 0x203, 'dst': 0x102}
        return seal(header(0x6d, **numbers) + element(0xf6, move_id + struct.pack('>Q', number)) +
                    element(0xf7, bytes((step,))) + rest, keys[sender])

    def signed(sender, other, number, step, label):
        said = statement(label, [move_id + struct.pack('>Q', number) + cookie, sender.public,
                                 other.public])
        return frame(sender, number, step,
                     element(0xe4, cookie) + element(0x20, sender.sign(said)))

    for n, mover, other in ((1, caller, called), (2, called, caller)):
        yield f'move_{n}_ask', frame(mover, n, 1, element(0xee, bytes(8)))
        yield f'move_{n}_cookie', frame(other, n, 2, element(0xe4, cookie))
        yield f'move_{n}_commit', signed(mover, other, n, 3, 'keyhole move')
        yield f'move_{n}_done', signed(other, mover, n, 4, 'keyhole moved')


def vectors():
    peer = Identity(b'\x55' * 32)
    node, registrar = Identity(b'\x11' * 32), Identity(b'\x22' * 32)
    node_secret, registrar_secret = b'\x33' * 32, b'\x44' * 32
    hello = [x25519(node_secret), x25519(registrar_secret)]
    challenge = b'00112233445566778899aabbccddeeff'
    full = [b'2001', challenge, node.public, registrar.public, *hello]
    short = [b'2001', challenge, b'', registrar.public, *hello]
    shared = x25519(node_secret, int.from_bytes(hello[1], 'little'))
    up = derive(shared, 'keyhole session node', full)
    down = derive(shared, 'keyhole session registrar', full)
    session = derive(shared, 'keyhole session id', full)[:8]

    yield 'node_key', node.public
    yield 'registrar_key', registrar.public
    yield 'peer_key', peer.public
    yield 'node_hello', hello[0]
    yield 'registrar_hello', hello[1]
    yield 'sign_register', node.sign(statement('keyhole register', full))
    yield 'sign_registrar', registrar.sign(statement('keyhole registrar', short))
    yield 'sign_refusal', registrar.sign(statement('keyhole refusal', short))
    yield 'key_node_to_registrar', up
    yield 'key_registrar_to_node', down
    yield 'session_id', session

    yield 'ping', seal(padded(header(0x1e) + session_element(session, 1), 78), up)
    yield 'ping_with_cookie', seal(padded(
        header(0x1e) + session_element(session, 2) +
        element(0xe4, bytes.fromhex('0123456789abcdef')), 78), up)
    yield 'pong', seal(header(0x03, dst=1, iseq=1) + session_element(session, 1) +
                       element(0xe5, address(203, 0, 113, 10, 4569)), down)

    token = b'\x77' * 32
    hidden = chacha20(derive(down, 'keyhole token cipher'), bytes(4) + struct.pack('>Q', 1), token)
    yield 'open', seal(header(0x69) + session_element(session, 1) +
                       element(0xe6, struct.pack('>Q', 42)) + element(0x02, b'2002') +
                       element(0xea, node.public) + element(0xe8, hidden) + element(0xed, b'\x01') +
                       element(0xef, struct.pack('>H', 25)) +
                       element(0xe7, b'\x01' + address(203, 0, 113, 10, 4569)), down)

    yield 'over_plain', seal(header(0x6a) + session_element(session, 2) +
                             element(0xe6, struct.pack('>Q', 43)) + element(0xe9, b'\x09') +
                             element(0xe7, b'\x01' + address(203, 0, 113, 20, 4570)), down)

    yield 'relay_answer', seal(header(0x6c) + session_element(session, 3) +
                               element(0xf5, struct.pack('>H', 300)) +
                               element(0xe7, b'\x10' + address(198, 51, 100, 10, 20591)), down)
    carried = bytes(i & 0xff for i in range(300))
    yield 'relay_data', seal(header(0x6c, ts=0) + session_element(session, 4) +
                             element(0xf3, address(203, 0, 113, 30, 4569)) +
                             element(0xf4, carried[:255]) + element(0xf4, carried[255:]), down)

    punch = derive(token, 'keyhole punch id')[:8]
    yield 'punch_id', punch
    yield 'punch_poke', seal(padded(header(0x1e, ts=0) + element(0xeb, punch) +
                                    element(0xe6, struct.pack('>Q', 1)), 70),
                             derive(token, 'keyhole punch caller'))
    call_key = derive(token, 'keyhole punch call')
    yield 'ticket_key', call_key
    yield from measures(session, up, down)
    yield from moves(call_key, node, peer)


HEAD = '''\
# Test vectors of OPEN-OVER.md, made by tests/vectors/make.py.  Each line: a name, and octets in hexadecimal.
#
# Identities are made from seeds of 32 octets 0x11 (node) and 0x22 (registrar), ephemeral X25519 secrets are 0x33 (node)
# and 0x44 (registrar).  Number 2001, challenge 00112233445566778899aabbccddeeff.  Time stamps are 1000, but 0 in
# punch_poke and relay_data.  ping has counter 1, ping_with_cookie counter 2 and cookie 0123456789abcdef; pong and open are the
# registrar's frames with counter 1, the apparent address is 203.0.113.10:4569.  open: transaction 42, caller 2002 with
# the node's key, token of 32 octets 0x77, KH NAT 1, KH DELAY 25, one candidate.  over_plain: counter 2, transaction 43,
# verdict 9, candidate 203.0.113.20:4570.  relay_answer: counter 3, 300 s, 198.51.100.10:20591; relay_data: counter 4,
# from 203.0.113.30:4569, 300 octets 0, 1, 2 and so on modulo 256, both the registrar's.  The punch has the same token; punch_poke is the caller's first.
#
# measure_*: transaction of octets 0x2a, time stamps 0, the node's counters 1 and 2, the registrar's 1 to 3; the socket is seen at
# 203.0.113.10:40001 with cookie 0123456789abcdef, and end 2 is asked to send there.  move_*: the call of ticket_key, from node (its number 0x102)
# to peer (seed 0x55, its number 0x203); move 1 is the caller's, move 2 that of the one it called, both with cookie fedcba9876543210.
'''


def main():
    if sys.argv[1:2] != ['--check']:
        print(HEAD, end='')
        for name, value in vectors():
            print(name, value.hex())
        return 0
    with open(sys.argv[2], encoding='ascii') as f:
        kept = dict(line.split() for line in f if line.strip() and line[0] != '#')
    bad = 0
    for n, (name, value) in enumerate(vectors(), 1):
        good = kept.get(name) == value.hex()
        bad += not good
        print(f"{'' if good else 'not '}ok {n} - {name}")
    print(f'1..{n}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
