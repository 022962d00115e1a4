# SPDX-License-Identifier: MIT
"""What Wireshark's dissector makes of what crossed the wire."""

import shutil
import subprocess
from typing import NamedTuple

from netns import LabError

IAX, VOICE = 6, 2
REGREQ, REGACK = 13, 15
ERROR, WARNING = 0x800000, 0x600000
# What it says of sound frames.  An element that it does not know it shows as
# text, and octets after a zero are stray then; ours are binary.  In APPARENT
# ADDR it reads IPv4 only, while Asterisk and we send IPv6 as well.
HARMLESS = ('Trailing stray characters',
            'Not supported in IAX dissector: peer address family of 10')

_SUBCLASSES = ('iax2.iax.subclass', 'iax2.control.subclass', 'iax2.dtmf.subclass',
               'iax2.voice.subclass', 'iax2.text.subclass', 'iax2.subclass')
_FIELDS = ('frame.number', 'frame.time_epoch', 'frame.protocols', 'ip.src', 'ipv6.src', 'udp.payload',
           'iax2.packet_type', 'iax2.src_call', 'iax2.dst_call', 'iax2.retransmission',
           'iax2.timestamp', 'iax2.oseqno', 'iax2.iseqno', 'iax2.type', *_SUBCLASSES,
           'iax2.ie_id', 'iax2.length', '_ws.expert.severity', '_ws.expert.message', '_ws.malformed')
_BETWEEN, _WITHIN = '\x1e', '\x1f'


class Frame(NamedTuple):
    """A frame's header and elements, as a sender says or a dissector sees."""

    kind: str
    length: int
    src_call: int
    ts_ms: int
    dst_call: int = None
    retransmit: bool = None
    oseq: int = None
    iseq: int = None
    type: int = None
    subclass: int = None
    elements: tuple = ()  # (id, length)


class Seen(NamedTuple):
    """A datagram of a capture."""

    time_us: int
    src: str
    octets: bytes
    frame: Frame  # None: no IAX2
    faults: tuple  # sentences


def tshark():
    return shutil.which('tshark')


def _number(text):
    return int(text, 0) if text else None


def _truth(text):
    return text in ('1', 'True')


def _subclass(row):
    text = next((row[name] for name in _SUBCLASSES if row[name]), None)
    if text is None:
        return None
    return ord(text) if row['iax2.dtmf.subclass'] else int(text, 0)


def _frame(row, octets):
    kind = {'0': 'mini', '1': 'full', '2': 'mini', '3': 'meta'}.get(row['iax2.packet_type'])
    if not kind:
        return None
    call, ts_ms = _number(row['iax2.src_call']), _number(row['iax2.timestamp'])
    if kind != 'full':
        # The dissector completes the 16 bits of a mini frame.
        return Frame(kind, len(octets), call, None if ts_ms is None else ts_ms & 0xffff)
    ids = [int(i) for i in row['iax2.ie_id'].split(_WITHIN) if i]
    lengths = [int(n) for n in row['iax2.length'].split(_WITHIN) if n]
    return Frame(kind, len(octets), call, ts_ms, _number(row['iax2.dst_call']),
                 _truth(row['iax2.retransmission']), _number(row['iax2.oseqno']),
                 _number(row['iax2.iseqno']), _number(row['iax2.type']), _subclass(row),
                 tuple(zip(ids, lengths)))


def _faults(row, frame):
    where = (f"frame {row['frame.number']} ({row['frame.protocols']} from "
             f"{row['ip.src'] or row['ipv6.src']}, {row['udp.payload'][:64]})")
    if not frame:
        yield f'{where}: no IAX2'
    if row['_ws.malformed']:
        yield f'{where}: malformed'
    severities = [int(s) for s in row['_ws.expert.severity'].split(_WITHIN) if s]
    messages = row['_ws.expert.message'].split(_WITHIN)
    for severity, message in zip(severities, messages):
        if severity >= ERROR or (severity >= WARNING and message not in HARMLESS):
            yield f'{where}: {message}'


def decode(pcap):
    """Every UDP datagram of a capture; all ports are taken for IAX2's."""
    argv = [tshark(), '-n', '-r', pcap, '-d', 'udp.port==1-65535,iax2',
            '-Y', 'udp && !icmp && !icmpv6', '-o', 'udp.check_checksum:TRUE', '-T', 'fields', '-E', f'separator={_BETWEEN}',
            '-E', f'aggregator={_WITHIN}']
    for field in _FIELDS:
        argv += ['-e', field]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f'tshark: {done.stderr.decode(errors="replace")}')
    return [_seen(line) for line in done.stdout.decode(errors='replace').split('\n') if line]


def _seen(line):
    row = dict(zip(_FIELDS, line.split(_BETWEEN)))
    octets = bytes.fromhex(row['udp.payload'])
    frame = _frame(row, octets)
    seconds, _, fraction = row['frame.time_epoch'].partition('.')
    return Seen(int(seconds) * 1000000 + int((fraction + '000000')[:6]),
                row['ip.src'] or row['ipv6.src'], octets, frame, tuple(_faults(row, frame)))


def faults(pcap):
    """Sentences about what the dissector chokes on."""
    return [fault for seen in decode(pcap) for fault in seen.faults]


def traced(record):
    """The frame that an object of keyhole trace --json describes."""
    frame = Frame(record['kind'], record['len'], record['src_call'], record['ts_ms'])
    if record['kind'] != 'full':
        return frame
    return frame._replace(**{name: record[name] for name in (
        'dst_call', 'retransmit', 'oseq', 'iseq', 'type', 'subclass')},
        elements=tuple((e['id'], e['len']) for e in record.get('elements', ())))
