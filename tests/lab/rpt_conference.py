# SPDX-License-Identifier: MIT
"""The conference of a scripted node of app_rpt: its radio and each of its links
hear all others, and never themselves.

    conference = Conference(rpt)
    conference.talk(frames)     # somebody speaks into its radio
    conference.overs            # what its radio transmitted
"""

import bisect
import collections
import time

from asterisk_call import FRAME_MS

PREFILL = 6       # frames before what a link says is passed on
ENDED_S = 0.3     # without UNKEY it has ended after so long
FRAME = 160
SILENCE = b'\xff' * FRAME


def _expand(code):
    code = ~code & 0xff
    size = ((code & 0x0f) << 3) + 0x84 << ((code & 0x70) >> 4)
    return 0x84 - size if code & 0x80 else size - 0x84


LINEAR = [_expand(code) for code in range(256)]
_CODES = sorted(range(256), key=LINEAR.__getitem__)
_BOUNDS = [(LINEAR[a] + LINEAR[b]) / 2 for a, b in zip(_CODES, _CODES[1:])]


def mix(blocks):
    """Frames of u-law added; one alone stays as it is."""
    if len(blocks) == 1:
        return blocks[0]
    sums = map(sum, zip(*([LINEAR[code] for code in block] for block in blocks)))
    return bytes(_CODES[bisect.bisect(_BOUNDS, x)] for x in sums)


class _Source:
    """What one link says, in an even flow."""

    def __init__(self, call):
        self.call = call
        self.speaking = False   # to it
        self._taken = len(call.heard)
        self._queue = collections.deque()
        self._playing = False

    def next(self, now):
        """The next frame; None: it says nothing."""
        heard_at = self.call.heard_at
        ended = heard_at is None or now - heard_at > ENDED_S
        self._queue.extend(data for _, _, data in self.call.heard[self._taken:])
        self._taken = len(self.call.heard)
        if self._queue and (ended or len(self._queue) >= PREFILL):
            self._playing = True
        elif not self._queue and ended:
            self._playing = False
        if not self._playing:
            return None
        return self._queue.popleft() if self._queue else SILENCE


class Conference:
    """Of a scripted node whose links all speak u-law."""

    def __init__(self, rpt):
        self.rpt = rpt
        self.overs = []         # each a list of frames
        self.on_air = False
        self._own = collections.deque()
        self._sources = {}
        self._due = time.monotonic()
        self._step()

    def talk(self, frames):
        with self.rpt.pbx.lock:
            self._own.extend(frames)

    def _step(self):
        now = time.monotonic()
        while self._due <= now:
            self._due += FRAME_MS / 1000
            self._beat(now)
        self.rpt.pbx.after(self._due - now, self._step)

    def _beat(self, now):
        calls = [link.call for link in self.rpt.links if link.call.state == 'up']
        self._sources = {call: self._sources.get(call) or _Source(call) for call in calls}
        said = {call: block for call, source in self._sources.items()
                if (block := source.next(now)) is not None}
        own = [self._own.popleft()] if self._own else []
        self._transmit(list(said.values()))
        for call, source in self._sources.items():
            self._speak(source, [block for other, block in said.items() if other is not call] + own)

    def _transmit(self, blocks):
        if blocks and not self.on_air:
            self.overs.append([])
        self.on_air = bool(blocks)
        if blocks:
            self.overs[-1].append(mix(blocks))

    @staticmethod
    def _speak(source, blocks):
        call = source.call
        if blocks:
            call.speak(mix(blocks), not source.speaking)
        elif source.speaking:
            call.unkey()
            call.cng()
        source.speaking = bool(blocks)
