# SPDX-License-Identifier: MIT
"""A scripted peer's call: set-up, what is said in it, and voice."""

import collections
import random
import time

import iax2
from asterisk_transport import Dialogue

FRAME_MS = 20
DTMF_S = 0.1


class Call(Dialogue):
    """One call.  States: new, accepted, up, down."""

    def __init__(self, pbx, addr, number, outbound):
        super().__init__(pbx, addr)
        self.number = number     # the other's
        self.outbound = outbound
        self.format = 0
        self.secret = pbx.secret
        self.challenge = None
        self.authreps = 0
        self.heard = []          # (whole time stamp, format, octets)
        self.heard_at = None     # when voice came last
        self.texts = []
        self.lost_minis = 0      # before the first full frame
        self._rx_ts = self._rx_at = None
        self._rx_format = 0
        self._voice = None       # iterator of what is being said
        self._voice_due = float('inf')
        self._voice_ts = 0
        self._voice_any = False
        self.new = None          # an inbound call's NEW
        self._new_body = None
        self._token_loops = 0
        self._ping_at = self._lagrq_at = float('inf')

    # --- set-up -------------------------------------------------------------

    def place(self, body):
        """Call, with these elements; the token comes last and is empty at first."""
        self._new_body = body
        self.send(iax2.IAX, iax2.NEW, body + iax2.ies((iax2.IE_CALLTOKEN, b'')))

    def on_token(self, f):
        if not self.outbound or self.got or self._token_loops > 10:
            return
        self._token_loops += 1
        self.restart()
        self.there = 0
        self.send(iax2.IAX, iax2.NEW, self._new_body +
                  iax2.ies((iax2.IE_CALLTOKEN, f.ies.get(iax2.IE_CALLTOKEN, b''))))

    def take_new(self, f):
        """The NEW that made this call: what follows acknowledges it."""
        self.new, self.there, self.iseq = f, f.src, f.oseq + 1 & 255
        self.seen.append(f)
        self.got.append(f)

    def ask_for_proof(self, username):
        self.challenge = str(random.randrange(10 ** 8, 10 ** 9))
        self.iax(iax2.AUTHREQ, (iax2.IE_AUTHMETHODS, iax2.u16(iax2.AUTH_MD5)),
                 (iax2.IE_CHALLENGE, self.challenge), (iax2.IE_USERNAME, username))

    def accept(self, fmt):
        self.format = fmt
        self.iax(iax2.ACCEPT, (iax2.IE_FORMAT, iax2.u32(fmt)), (iax2.IE_FORMAT2, iax2.wide(fmt)))
        self.state = 'accepted'
        self._start_asking()

    def answer(self):
        with self.pbx.lock:
            self.control(iax2.C_ANSWER)
            self.control(iax2.C_STOP_SOUNDS)
            self._up()

    def reject(self, text, code):
        self.iax(iax2.REJECT, (iax2.IE_CAUSE, text), (iax2.IE_CAUSECODE, iax2.u8(code)))
        self.state, self.why = 'down', 'rejected'

    def hangup(self, code=16):
        with self.pbx.lock:
            if self.state == 'down':
                return
            if self.manners.hangs_up:
                self.iax(iax2.HANGUP, (iax2.IE_CAUSECODE, iax2.u8(code)))
            self.end('hung up here')

    def _start_asking(self):
        now = time.monotonic()
        self._ping_at = now + self.pbx.ping_s
        self._lagrq_at = now + self.pbx.lagrq_s

    def _up(self):
        self.state = 'up'
        self.pbx.on_up(self)

    def end(self, how):
        super().end(how)
        self._voice = None
        self._voice_due = self._ping_at = self._lagrq_at = float('inf')

    # --- frames -------------------------------------------------------------

    def handle(self, f):
        if self.state == 'down':
            return
        if f.type == iax2.IAX:
            self._on_iax(f)
        elif f.type == iax2.CONTROL:
            self._on_control(f)
        elif f.type == iax2.VOICE:
            self._rx_ts, self._rx_at, self._rx_format = f.ts, time.monotonic(), f.subclass
            self.heard.append((f.ts, f.subclass, f.body))
            self.heard_at = self._rx_at
        elif f.type == iax2.TEXT:
            self.texts.append(f.body)
        self.pbx.on_frame(self, f)

    def _on_iax(self, f):
        sub = f.subclass
        if sub == iax2.PING and self.manners.pongs:
            self._pong(f.ts)
        elif sub == iax2.LAGRQ and self.manners.lagrps:
            self.iax(iax2.LAGRP, ts=f.ts)
        elif sub == iax2.PONG:
            self.rtt_s = max(self.clock_ms() - f.ts, 1) / 1000
        elif sub in (iax2.HANGUP, iax2.REJECT):
            self.end(f)
        elif sub == iax2.AUTHREQ:
            self.iax(iax2.AUTHREP, (iax2.IE_MD5_RESULT, iax2.md5_result(
                f.text(iax2.IE_CHALLENGE), self.secret or '')))
        elif sub == iax2.AUTHREP:
            self.authreps += 1
            self.pbx.on_proof(self, f)
        elif sub == iax2.ACCEPT and self.state == 'new':
            self.state, self.format = 'accepted', f.number(iax2.IE_FORMAT)
            self._start_asking()
        elif sub == iax2.TXREQ or iax2.QUELCH <= sub <= iax2.UNQUELCH or \
                sub in (iax2.NEW, iax2.LAGRP, iax2.UNSUPPORT, iax2.TXREJ, iax2.ACCEPT):
            pass
        elif sub not in (iax2.PING, iax2.LAGRQ):
            self.iax(iax2.UNSUPPORT, (iax2.IE_IAX_UNKNOWN, iax2.u8(iax2.subclass_octet(sub))))

    def _pong(self, ts):
        u32 = iax2.u32
        self.iax(iax2.PONG, (iax2.IE_RR_JITTER, u32(0)), (iax2.IE_RR_LOSS, u32(0)),
                 (iax2.IE_RR_PKTS, u32(len(self.heard))), (iax2.IE_RR_DELAY, iax2.u16(40)),
                 (iax2.IE_RR_DROPPED, u32(0)), (iax2.IE_RR_OOO, u32(0)), ts=ts)

    def _on_control(self, f):
        if f.subclass == iax2.C_ANSWER and self.outbound and self.state == 'accepted':
            self._up()
        elif f.subclass in (iax2.C_HANGUP, iax2.C_BUSY, iax2.C_CONGESTION):
            self.end(f)

    def on_mini(self, low, data):
        """A mini frame, or an entry of a trunk frame."""
        if self._rx_ts is None:
            self.lost_minis += 1
            self.raw(iax2.IAX, iax2.VNAK, ts=low)
            return
        due = self._rx_ts + int((time.monotonic() - self._rx_at) * 1000)
        step = (low - due + 0x8000 & 0xffff) - 0x8000
        self._rx_ts, self._rx_at = due + step, time.monotonic()
        self.heard_at = self._rx_at
        self.heard.append((due + step, self._rx_format, data))

    # --- saying something ---------------------------------------------------

    def control(self, subclass, body=b''):
        self.send(iax2.CONTROL, subclass, body)

    def text(self, words):
        self.send(iax2.TEXT, 0, words.encode() + b'\0')

    def key(self):
        self.control(iax2.C_KEY)

    def unkey(self):
        self.control(iax2.C_UNKEY)

    def cng(self):
        self.send(iax2.CNG, 0)

    def dtmf(self, digits, begin=True, gap_s=0.15):
        """Digits; without begin as a lone END each."""
        with self.pbx.lock:
            for i, digit in enumerate(digits):
                at = i * (DTMF_S + gap_s)
                if begin:
                    self.pbx.after(at, self.send, iax2.DTMF_BEGIN, ord(digit))
                self.pbx.after(at + DTMF_S, self.send, iax2.DTMF_END, ord(digit))

    # --- voice --------------------------------------------------------------

    def talk(self, frames, fmt=None, from_ts=None):
        """Say frames of 20 ms, from now on, in the background."""
        with self.pbx.lock:
            self._voice = collections.deque(frames)
            self._voice_format = fmt or self.format
            self._voice_due = time.monotonic()
            ts = self.clock_ms() if from_ts is None else from_ts
            self._voice_ts = ts - ts % FRAME_MS
            self._spurt = True

    def jump(self, ms):
        """The time stamps of what is being said go on so much later."""
        with self.pbx.lock:
            self._voice_ts += ms

    @property
    def talking(self):
        return self._voice is not None

    def say(self, frames, fmt=None, timeout_s=20):
        """Talk to the end."""
        self.talk(frames, fmt)
        self.wait('the end of what it says', lambda: not self.talking, timeout_s)

    def speak(self, data, first):
        """One frame of 20 ms, at once; first: after a silence."""
        with self.pbx.lock:
            if first:
                self._voice_format = self.format
                ts = self.clock_ms()
                self._voice_ts = ts - ts % FRAME_MS
                self._spurt = True
            self._send_voice(data)

    def _send_voice(self, data):
        m, ts = self.manners, self._voice_ts
        wrapped = m.full_at_wrap and ts & 0xffff < FRAME_MS
        first = self._spurt and not m.mini_first
        if first or wrapped or m.every_voice_full:
            self.send(iax2.VOICE, self._voice_format, data, ts=ts & 0xffffffff)
            self.last_ts = max(self.last_ts, ts)
        elif m.trunk is None:
            self.emit(iax2.mini(self.here, ts, data))
        else:
            self.emit(iax2.trunk(self.pbx.trunk_clock_ms(), [(self.here, ts, data)], m.trunk == 1))
        self._spurt = False
        self._voice_ts += FRAME_MS

    def _say_one(self):
        self._send_voice(self._voice.popleft())
        self._voice_due += FRAME_MS / 1000
        if not self._voice:
            self._voice, self._voice_due = None, float('inf')

    def tick(self, now):
        super().tick(now)
        while self._voice and now >= self._voice_due:
            self._say_one()
        if now >= self._ping_at:
            self._ping_at = now + self.pbx.ping_s
            self.iax(iax2.PING)
        if now >= self._lagrq_at:
            self._lagrq_at = now + self.pbx.lagrq_s
            self.iax(iax2.LAGRQ)

    def next_due(self):
        return min(super().next_due(), self._voice_due, self._ping_at, self._lagrq_at)
