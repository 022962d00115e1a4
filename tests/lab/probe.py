# SPDX-License-Identifier: MIT
"""Probes: what a path lets through, told by real packets."""

import collections
import contextlib
import errno
import os
import random
import socket
import struct
import threading
import time

from netns import LabError

# RFC 4787 sections 4.1 (mapping) and 5 (filtering).
INDEPENDENT = 'endpoint-independent'
ADDRESS = 'address-dependent'
ADDRESS_PORT = 'address-and-port-dependent'

# RFC 5456 sections 8.2 and 8.4; CALLTOKEN is Asterisk's.
FRAME_IAX = 6
NEW = 1
REJECT = 6
CALLTOKEN = 40
_IE_VERSION = 0x0b
_IE_CALLED_NUMBER = 0x01
_IE_CALLING_NUMBER = 0x02
_IE_CAPABILITY = 0x08
_IE_FORMAT = 0x09
_IE_CALLTOKEN = 0x36
_ULAW = 4
_IP_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11),
               socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}

Frame = collections.namedtuple(
    'Frame', 'src_call dst_call retransmit ts_ms oseq iseq type subclass body')

Path = collections.namedtuple(
    'Path', 'mapping filtering translated port_preserved mapped')
Path.__doc__ = """What classify() found.

mapping and filtering: the words of RFC 4787, or None when nothing gets out;
translated: the server saw another address or port than the host has;
mapped: the (address, port) that the first server saw.
"""


def receive(sock, timeout_s):
    """The next datagram as (octets, (address, port)), or None."""
    sock.settimeout(max(timeout_s, 0.001))
    try:
        data, source = sock.recvfrom(65536)
    except TimeoutError:
        return None
    return data, source[:2]


def _receive_token(sock, tokens, timeout_s):
    """Wait for one of tokens, whatever else arrives: (token, source)."""
    deadline = time.monotonic() + timeout_s
    while True:
        got = receive(sock, deadline - time.monotonic())
        if got is None or got[0] in tokens:
            return got
        if time.monotonic() >= deadline:
            return None


def _send(sock, token, to):
    """Three times: a lost packet must not look like a closed door."""
    for _ in range(3):
        with contextlib.suppress(OSError):
            sock.sendto(token, to)


def new_token():
    """What nobody else sends; to a dissector a mini frame, which any octets may follow."""
    return b'\0\x09' + os.urandom(14)


def _seen_from(sock, server_sock, server_addr, timeout_s):
    """The (address, port) that the server sees sock's packets come from."""
    token = new_token()
    _send(sock, token, (server_addr, server_sock.getsockname()[1]))
    got = _receive_token(server_sock, {token}, timeout_s)
    return got and got[1]


def _mapping(seen):
    if seen[0] == seen[1] == seen[2]:
        return INDEPENDENT
    return ADDRESS if seen[0] == seen[1] else ADDRESS_PORT


def classify(host, server_a, server_b, family=4, timeout_s=2.0, grace_s=0.15):
    """Mapping and filtering behaviour on the way from host to the internet.

    server_a and server_b are public hosts.  grace_s is how long a packet that
    gets through may take more than another; raise it with much jitter.
    """
    a1, a2 = (server_a.socket(family=family) for _ in range(2))
    b1 = server_b.socket(family=family)
    addr_a, addr_b = server_a.addr(family), server_b.addr(family)
    sock = host.socket(family=family)
    first = _seen_from(sock, a1, addr_a, timeout_s)
    if first is None:
        return Path(None, None, False, False, None)
    seen = (first, _seen_from(sock, a2, addr_a, timeout_s),
            _seen_from(sock, b1, addr_b, timeout_s))
    port = sock.getsockname()[1]
    return Path(_mapping(seen),
                _filtering(host, (a1, a2, b1), addr_a, timeout_s, grace_s),
                first != (host.addr(family), port), first[1] == port, first)


def _filtering(host, servers, addr_a, timeout_s, grace_s):
    """Open one hole with a new socket and try who gets in through it."""
    a1 = servers[0]
    sock = host.socket(family=4 if a1.family == socket.AF_INET else 6)
    mapped = _seen_from(sock, a1, addr_a, timeout_s)
    if mapped is None:
        raise LabError('a path that was open is closed')
    tokens = [new_token() for _ in servers]
    # The server that was spoken to last: its packet ends the wait.
    for server, token in reversed(list(zip(servers, tokens))):
        _send(server, token, mapped)
    got, wait_s = set(), timeout_s
    while True:
        answer = _receive_token(sock, set(tokens) - got, wait_s)
        if answer is None:
            break
        got.add(answer[0])
        wait_s = grace_s if tokens[0] in got else timeout_s
    if tokens[0] not in got:
        raise LabError('no answer through an open hole')
    if tokens[2] in got:
        return INDEPENDENT
    return ADDRESS if tokens[1] in got else ADDRESS_PORT


def full_frame(subclass, elements, src_call, dst_call=0, **fields):
    """An IAX frame (RFC 5456 section 8.1.1) with information elements."""
    body = b''.join(bytes([number, len(value)]) + value
                    for number, value in elements)
    resent = 0x8000 if fields.get('retransmit') else 0
    return struct.pack('>HHIBBBB', 0x8000 | src_call, resent | dst_call,
                       fields.get('ts_ms', 0), fields.get('oseq', 0),
                       fields.get('iseq', 0), FRAME_IAX, subclass) + body


def parse_full(data):
    """A Frame, or None when the octets are no full frame."""
    if len(data) < 12 or not data[0] & 0x80:
        return None
    src, dst, ts_ms, oseq, iseq, kind, subclass = struct.unpack(
        '>HHIBBBB', data[:12])
    return Frame(src & 0x7fff, dst & 0x7fff, bool(dst & 0x8000), ts_ms, oseq,
                 iseq, kind, subclass, data[12:])


def new_frame(src_call, called='2000', calling='1000', retransmit=False):
    """A plain NEW, as a node without OPEN/OVER sends it."""
    return full_frame(NEW, [
        (_IE_VERSION, struct.pack('>H', 2)),
        (_IE_CALLED_NUMBER, called.encode()),
        (_IE_CALLING_NUMBER, calling.encode()),
        (_IE_FORMAT, struct.pack('>I', _ULAW)),
        (_IE_CAPABILITY, struct.pack('>I', _ULAW)),
        (_IE_CALLTOKEN, b''),
    ], src_call, retransmit=retransmit)


def plain_new(host, addr, port=4569, timeout_s=1.5, called='2000', sport=0):
    """Call addr as a plain IAX2 node does: the negative control everywhere.

    Sends a NEW and repeats it every half second.  Returns None when nothing
    comes back, 'icmp' for an ICMP error, the subclass of the first IAX frame,
    'other' for anything else.
    """
    family = 6 if ':' in addr else 4
    with contextlib.closing(host.socket(sport, family)) as sock:
        sock.setsockopt(*_IP_RECVERR[sock.family], 1)
        call, resent = random.randrange(1, 0x8000), False
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                sock.sendto(new_frame(call, called, retransmit=resent),
                            (addr, port))
                got = receive(sock, min(left_s, 0.5))
            except OSError as err:
                if err.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH,
                                 errno.ENETUNREACH, errno.EACCES):
                    return 'icmp'
                raise
            resent = True
            if got:
                frame = parse_full(got[0])
                return frame.subclass if frame and frame.type == FRAME_IAX \
                    else 'other'
    return None


class Answerer:
    """A tiny IAX2 responder: answers each NEW with one subclass."""

    def __init__(self, host, port=4569, family=4, subclass=CALLTOKEN):
        self._sock = host.socket(port, family)
        self._sock.settimeout(0.1)
        self._subclass = subclass
        self.answered = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        # Ends when the lab closes the socket.
        with contextlib.suppress(OSError):
            while self._sock.fileno() >= 0:
                with contextlib.suppress(TimeoutError):
                    self._answer(*self._sock.recvfrom(65536))

    def _answer(self, data, source):
        frame = parse_full(data)
        if frame and (frame.type, frame.subclass) == (FRAME_IAX, NEW):
            self._sock.sendto(full_frame(self._subclass, [
                (_IE_CALLTOKEN, b'token')], 1, frame.src_call, iseq=1), source)
            self.answered += 1


def ping_ms(host, server, family=4, count=5, every_s=0.02):
    """Round-trip times of UDP datagrams in ms, None for each that is lost."""
    there, here = server.socket(family=family), host.socket(family=family)
    to = (server.addr(family), there.getsockname()[1])
    stop = threading.Event()

    def echo():
        while not stop.is_set():
            got = receive(there, 0.05)
            if got:
                there.sendto(*got)

    echoer = threading.Thread(target=echo, daemon=True)
    echoer.start()
    times = []
    for _ in range(count):
        token, start = new_token(), time.monotonic()
        here.sendto(token, to)
        got = _receive_token(here, {token}, 1.0)
        times.append((time.monotonic() - start) * 1000 if got else None)
        time.sleep(every_s)
    stop.set()
    echoer.join()
    return times
