# SPDX-License-Identifier: MIT
"""IAX2 frames and elements (RFC 5456 section 8), written independently of the
C code that is tested with them."""

import collections
import hashlib
import struct

# Frame types (8.2; from CNG on as Asterisk has them).
DTMF_END, VOICE, VIDEO, CONTROL, NULL, IAX, TEXT, IMAGE, HTML, CNG, MODEM, DTMF_BEGIN = range(1, 13)

# Subclasses of IAX frames (8.4).
NEW, PING, PONG, ACK, HANGUP, REJECT, ACCEPT, AUTHREQ, AUTHREP, INVAL, LAGRQ, LAGRP, \
    REGREQ, REGAUTH, REGACK, REGREJ, REGREL, VNAK, DPREQ, DPREP, DIAL, TXREQ, TXCNT, TXACC, \
    TXREADY, TXREL, TXREJ, QUELCH, UNQUELCH, POKE = range(1, 31)
MWI, UNSUPPORT = 0x20, 0x21
CALLTOKEN = 0x28

# Control subclasses (8.3).
C_HANGUP, C_RINGING, C_ANSWER, C_BUSY, C_CONGESTION = 1, 3, 4, 5, 8
C_KEY, C_UNKEY, C_PROGRESS, C_PROCEEDING, C_STOP_SOUNDS = 12, 13, 14, 15, 0xff

# Elements (8.6).
IE_CALLED_NUMBER, IE_CALLING_NUMBER, IE_CALLING_ANI, IE_CALLING_NAME = 0x01, 0x02, 0x03, 0x04
IE_USERNAME, IE_CAPABILITY, IE_FORMAT, IE_LANGUAGE, IE_VERSION = 0x06, 0x08, 0x09, 0x0a, 0x0b
IE_ADSICPE, IE_AUTHMETHODS, IE_CHALLENGE, IE_MD5_RESULT = 0x0c, 0x0e, 0x0f, 0x10
IE_APPARENT_ADDR, IE_REFRESH, IE_CAUSE, IE_IAX_UNKNOWN, IE_DATETIME = 0x12, 0x13, 0x16, 0x17, 0x1f
IE_CALLINGPRES, IE_CALLINGTON, IE_CALLINGTNS, IE_CAUSECODE = 0x26, 0x27, 0x28, 0x2a
IE_CODEC_PREFS, IE_CALLINGANI2 = 0x2d, 0x39
IE_RR_JITTER, IE_RR_LOSS, IE_RR_PKTS, IE_RR_DELAY, IE_RR_DROPPED, IE_RR_OOO = range(0x2e, 0x34)
IE_CALLTOKEN, IE_CAPABILITY2, IE_FORMAT2 = 0x36, 0x37, 0x38

# Formats (8.7), by the names that status gives them.
FORMATS = {'gsm': 0x2, 'ulaw': 0x4, 'alaw': 0x8, 'g726aal2': 0x10, 'adpcm': 0x20, 'slin': 0x40,
           'slin16': 0x8000}

AUTH_MD5 = 2

# What takes no place in the sequence (7.1 and Asterisk's).
UNCOUNTED = {ACK, INVAL, TXCNT, TXACC, VNAK, CALLTOKEN}


class Full(collections.namedtuple('Full', 'src dst resent ts oseq iseq type subclass body')):
    """A full frame; subclass is the format's or frame's number, 0xff as it is on the wire."""

    @property
    def kind(self):
        return self.type, self.subclass

    @property
    def ies(self):
        """{element: octets}, the first of each; what is cut off is left out."""
        found = {}
        for number, value in elements(self.body):
            found.setdefault(number, value)
        return found

    def text(self, number):
        return self.ies.get(number, b'').decode('latin-1')

    def number(self, number):
        """An element's value as an unsigned number, None when it is missing."""
        value = self.ies.get(number)
        return None if value is None else int.from_bytes(value, 'big')

    def is_iax(self, subclass):
        return self.kind == (IAX, subclass)


Mini = collections.namedtuple('Mini', 'src ts data')
# Voice of one call in a trunk frame; ts is None where the trunk's holds for all.
Trunked = collections.namedtuple('Trunked', 'src ts data')


def elements(body):
    """(number, octets) of each whole element."""
    at = 0
    while at + 2 <= len(body) and at + 2 + body[at + 1] <= len(body):
        yield body[at], body[at + 2:at + 2 + body[at + 1]]
        at += 2 + body[at + 1]


def ies(*pairs):
    """Elements for a frame's body: (number, octets or text)."""
    out = b''
    for number, value in pairs:
        value = value.encode() if isinstance(value, str) else value
        out += bytes([number, len(value)]) + value
    return out


def u8(value):
    return struct.pack('>B', value)


def u16(value):
    return struct.pack('>H', value)


def u32(value):
    return struct.pack('>I', value)


def wide(formats):
    """FORMAT2 and CAPABILITY2: a version and 64 bits."""
    return struct.pack('>BQ', 0, formats)


def subclass_octet(subclass):
    if subclass < 0x80 or subclass == 0xff:
        return subclass
    if subclass & (subclass - 1):
        raise ValueError(f'no octet stands for {subclass:#x}')
    return 0x80 | subclass.bit_length() - 1


def subclass_of(octet):
    return octet if octet < 0x80 or octet == 0xff else 1 << (octet & 0x7f)


def full(src, dst, ts, oseq, iseq, kind, subclass, body=b'', resent=False):
    return struct.pack('>HHIBBBB', 0x8000 | src, (0x8000 if resent else 0) | dst, ts & 0xffffffff,
                       oseq & 255, iseq & 255, kind, subclass_octet(subclass)) + body


def mini(src, ts, data):
    return struct.pack('>HH', src, ts & 0xffff) + data


def trunk(ts, entries, stamped=True):
    """A trunk frame of (call, ts, octets): cmddata 1 with a time stamp for each call, 0 without."""
    out = struct.pack('>HBBI', 0, 1, int(stamped), ts & 0xffffffff)
    for call, call_ts, data in entries:
        out += struct.pack('>HHH', len(data), call, call_ts & 0xffff) if stamped else \
            struct.pack('>HH', call, len(data))
        out += data
    return out


def _decode_trunk(data):
    stamped, at, entries = data[3] & 1, 8, []
    head = 6 if stamped else 4
    while at + head <= len(data):
        first, second = struct.unpack_from('>HH', data, at)
        length, call = (first, second) if stamped else (second, first)
        ts = struct.unpack_from('>H', data, at + 4)[0] if stamped else None
        entries.append(Trunked(call, ts, data[at + head:at + head + length]))
        at += head + length
    return entries


def decode(data):
    """A Full, a Mini, a list of Trunked, or None for what is none of them."""
    if len(data) >= 12 and data[0] & 0x80:
        src, dst, ts, oseq, iseq, kind, sub = struct.unpack('>HHIBBBB', data[:12])
        return Full(src & 0x7fff, dst & 0x7fff, bool(dst & 0x8000), ts, oseq, iseq, kind,
                    subclass_of(sub), data[12:])
    if len(data) >= 8 and data[:3] == b'\0\0\1':
        return _decode_trunk(data)
    if len(data) >= 4 and not data[0] & 0x80 and data[:2] != b'\0\0':
        src, ts = struct.unpack('>HH', data[:4])
        return Mini(src, ts, data[4:])
    return None


def md5_result(challenge, secret):
    """8.6.15: of the challenge and the secret, in hexadecimal."""
    return hashlib.md5(challenge.encode() + secret.encode()).hexdigest()


def prefs_text(formats):
    """CODEC_PREFS: a letter for each format, B for the lowest bit."""
    return ''.join(chr(ord('B') + f.bit_length() - 1) for f in formats)
