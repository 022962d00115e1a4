#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a voice stream meets on a recorded link: derive.py TRACE.up OUT

Reads a trace of mahimahi's form and writes one unsigned LEB128 number for each
of the 30,000 frames of ten minutes: how many milliseconds it leaves the queue
after the one before it (the first: after the start).  See README.md.
"""

import sys

FRAMES = 30000
FRAME_MS = 20
FRAME_OCTETS = 192
PACKET_OCTETS = 1500


def opportunities(path):
    """Milliseconds at which a packet may leave, for ever."""
    with open(path, encoding='ascii') as lines:
        times = [int(line) for line in lines]
    begin = 0
    while True:
        for at in times:
            yield begin + at
        begin += times[-1]


def departures(path):
    """When each frame of the stream leaves the queue; none is cut in two."""
    head = 0
    for now in opportunities(path):
        room = PACKET_OCTETS
        while head * FRAME_MS <= now and room >= FRAME_OCTETS:
            room -= FRAME_OCTETS
            yield now
            head += 1
            if head == FRAMES:
                return


def leb128(number):
    octets = bytearray()
    while number > 0x7f:
        octets.append(0x80 | number & 0x7f)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def main():
    last = 0
    with open(sys.argv[2], 'wb') as out:
        for at in departures(sys.argv[1]):
            out.write(leb128(at - last))
            last = at


main()
