# SPDX-License-Identifier: MIT
"""How a scripted peer sends, repeats and acknowledges: Asterisk's way, and the
ways in which a peer can be wrong."""

import dataclasses
import time

import iax2

FIRST_S = 2.0  # until the first repetition while no round trip is known
LEAST_S = 0.1
MOST_S = 10.0
TRIES = 4
STEP_MS = 3    # between full frames of the same millisecond


@dataclasses.dataclass
class Manners:
    """How a peer behaves; as made, well."""
    acks: int = 1              # ACKs for each frame; 0: never one
    tells_iseq: bool = True    # else its frames never acknowledge anything
    resends: bool = True
    pongs: bool = True         # answers PING
    lagrps: bool = True        # answers LAGRQ
    acks_hangup: bool = True
    lose_every: int = 0        # every n-th datagram that it sends is lost
    copies: int = 1            # each datagram goes out so many times
    swap_every: int = 0        # every n-th goes out after the one behind it
    dst: int | None = None     # the call number that it sends to
    oseq_skew: int = 0         # added to its sequence numbers
    mini_first: bool = False   # speaks without a full voice frame
    full_at_wrap: bool = False # a full voice frame where the low 16 bits wrap
    every_voice_full: bool = False
    trunk: int | None = None   # voice in trunk frames: cmddata 0 or 1
    hangs_up: bool = True      # says so when it ends a call


@dataclasses.dataclass
class Sent:
    """A full frame until it is acknowledged."""
    oseq: int
    ts: int
    kind: int
    subclass: int
    body: bytes
    due: float
    wait_s: float
    tries: int = 1


class Dialogue:
    """Full frames in sequence with one address: a call or a registration."""

    def __init__(self, pbx, addr):
        self.pbx = pbx
        self.addr = addr
        self.manners = dataclasses.replace(pbx.manners)
        self.here = pbx.new_callno()
        self.there = 0
        self.began = time.monotonic()
        self.oseq = self.iseq = 0
        self.last_ts = -1
        self.unacked = []
        self.rtt_s = None
        self.state = 'new'
        self.why = None      # how it ended
        self.got = []        # full frames in their turn
        self.seen = []       # every full frame, as it came
        self._held = None
        self._count = 0
        pbx.dialogues.append(self)

    # --- sending ------------------------------------------------------------

    def clock_ms(self):
        return int((time.monotonic() - self.began) * 1000)

    def stamp(self):
        ts = self.clock_ms()
        if ts <= self.last_ts:
            ts = self.last_ts + STEP_MS
        self.last_ts = ts
        return ts

    def emit(self, data):
        """To the network, through what this peer's manners do to it."""
        m = self.manners
        self._count += 1
        if m.lose_every and self._count % m.lose_every == 0:
            return
        if m.swap_every and self._count % m.swap_every == 0 and self._held is None:
            self._held = data
            return
        held, self._held = self._held, None
        for octets in (data, held):
            for _ in range(m.copies if octets else 0):
                self.pbx.transmit(octets, self.addr)

    def raw(self, kind, subclass, body=b'', *, ts=None, oseq=None, iseq=None, dst=None, src=None,
            resent=False):
        """A full frame as it is said, once, that takes no place in the sequence."""
        m = self.manners
        with self.pbx.lock:
            to = dst if dst is not None else m.dst if m.dst is not None else self.there
            self.emit(iax2.full(
                self.here if src is None else src, to, self.stamp() if ts is None else ts,
                (self.oseq if oseq is None else oseq) + m.oseq_skew,
                (self.iseq if m.tells_iseq else 0) if iseq is None else iseq,
                kind, subclass, body, resent))

    def send(self, kind, subclass, body=b'', ts=None):
        """A full frame that arrives, or the dialogue ends."""
        with self.pbx.lock:
            wait_s = FIRST_S if self.rtt_s is None else max(2 * self.rtt_s, LEAST_S)
            frame = Sent(self.oseq, self.stamp() if ts is None else ts, kind, subclass, body,
                         time.monotonic() + wait_s, wait_s)
            self.oseq = self.oseq + 1 & 255
            self.unacked.append(frame)
            self._again(frame, False)

    def iax(self, subclass, *elements, ts=None):
        self.send(iax2.IAX, subclass, iax2.ies(*elements), ts)

    def _again(self, frame, resent):
        self.raw(frame.kind, frame.subclass, frame.body, ts=frame.ts, oseq=frame.oseq, resent=resent)

    def ack(self, ts):
        for _ in range(self.manners.acks):
            self.raw(iax2.IAX, iax2.ACK, ts=ts)

    def restart(self):
        """The sequence begins anew: what was sent has been answered without a call."""
        self.unacked.clear()
        self.oseq = self.iseq = 0

    # --- receiving ----------------------------------------------------------

    def _acked(self, iseq):
        if self.unacked and (self.oseq - iseq & 255) <= (self.oseq - self.unacked[0].oseq & 255):
            self.unacked = [f for f in self.unacked if (f.oseq - iseq & 255) < 128]

    def receive(self, f):
        """One full frame for this dialogue, in whatever order they come."""
        self.seen.append(f)
        if not self.there:
            self.there = f.src
        if f.type == iax2.IAX and f.subclass in iax2.UNCOUNTED:
            self._uncounted(f)
            return
        if f.is_iax(iax2.REJECT) and f.src == 1 and not self.got:
            self.end(f)  # without a call on the other side, so without a place
            return
        self._acked(f.iseq)
        ahead = f.oseq - self.iseq & 255
        if 0 < ahead < 128:
            self.raw(iax2.IAX, iax2.VNAK, ts=f.ts)
            return
        if ahead:
            self.ack(f.ts)
            return
        self.iseq = self.iseq + 1 & 255
        self.got.append(f)
        before = self.oseq
        self.handle(f)
        if self.oseq == before and (self.manners.acks_hangup or not f.is_iax(iax2.HANGUP)):
            self.ack(f.ts)

    def _uncounted(self, f):
        if f.subclass == iax2.ACK:
            self._acked(f.iseq)
        elif f.subclass == iax2.VNAK:
            self._acked(f.iseq)
            for frame in self.unacked if self.manners.resends else ():
                self._again(frame, False)
        elif f.subclass == iax2.INVAL:
            self.end(f)
        elif f.subclass == iax2.CALLTOKEN:
            self.on_token(f)
        self.on_uncounted(f)

    def end(self, how):
        """It is over: the frame that said so, or a word."""
        if self.state == 'down':
            return
        self.state, self.why = 'down', how
        self.unacked = [f for f in self.unacked if f.kind == iax2.IAX and f.subclass == iax2.HANGUP]

    # --- time ---------------------------------------------------------------

    def tick(self, now):
        """Repeat what is due; when a frame was sent often enough the dialogue dies silently."""
        for f in [f for f in self.unacked if now >= f.due]:
            last = 2 if f.subclass == iax2.HANGUP and f.kind == iax2.IAX else TRIES
            if f.tries >= last:
                self.unacked.clear()
                self.end('nobody acknowledged')
                return
            f.tries += 1
            f.wait_s = min(f.wait_s * 10, MOST_S)
            f.due = now + f.wait_s
            if self.manners.resends:
                self._again(f, True)

    def next_due(self):
        return min((f.due for f in self.unacked), default=float('inf'))

    # --- waiting ------------------------------------------------------------

    def wait(self, what, ready, timeout_s=5):
        """The first true value of ready(); what says in words what was awaited."""
        return self.pbx.wait(f'{what} (state {self.state}, why {self.why})', ready, timeout_s)

    def wait_state(self, state, timeout_s=5):
        self.wait(f'the call to be {state}', lambda: self.state == state, timeout_s)
        return self

    def count(self, kind, subclass):
        """How many frames of this kind came in their turn."""
        with self.pbx.lock:
            return sum(f.kind == (kind, subclass) for f in self.got)

    def count_seen(self, kind, subclass):
        """As they came, repetitions and what has no turn among them."""
        with self.pbx.lock:
            return sum(f.kind == (kind, subclass) for f in self.seen)

    def wait_frame(self, kind, subclass, timeout_s=5, after=0):
        """The frame of this kind that follows so many others of it."""
        def ready():
            found = [f for f in self.seen if f.kind == (kind, subclass)]
            return found[after] if len(found) > after else None
        return self.wait(f'frame {kind}/{subclass}, after {after} others', ready, timeout_s)

    # --- for those built on this --------------------------------------------

    def handle(self, f):
        """A full frame in its turn."""

    def on_token(self, f):
        """A CALLTOKEN."""

    def on_uncounted(self, f):
        """What takes no place in the sequence, after it was dealt with."""
