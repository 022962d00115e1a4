# SPDX-License-Identifier: MIT
"""A scripted IAX2 peer that behaves on the wire as Asterisk was seen to.

    with Asterisk(lab.host('pbx'), '1999', secret='s3cret') as pbx:
        call = pbx.dial(node.host.addr4, '2001').wait_state('up')
        call.say(frames)
        call.manners.acks = 0           # and now it misbehaves
        inbound = pbx.wait_call()       # somebody calls it

It runs in a thread of its own, with a socket that lives in the site.
"""

import contextlib
import hashlib
import os
import random
import select
import sys
import threading
import time
import traceback

import iax2
from asterisk_call import Call
from asterisk_reg import Registrar, Registration
from asterisk_transport import Manners
from netns import be_realtime
from tap import Failed, Inexact, stood_still

TOKEN_S = 10
TRUNK_MS = 20
TRUNK_SKEW_MS = 160
DATETIME = 0x5b6a5000
LOG_LINES = 60
UNPROVED_MAX = 3   # AUTHREQs that nobody answers


class Asterisk:
    """A peer with a number of its own.

    secret: what callers must prove, and what it proves itself with; None: no
    caller needs to prove anything.  token: 'ask', or 'none' for one that takes
    a NEW without a call token.  formats: what it can, the preferred one first.
    """

    def __init__(self, site, number, *, port=4569, family=4, secret=None, token='ask',
                 formats=(iax2.FORMATS['ulaw'], iax2.FORMATS['gsm'])):
        self.site, self.number, self.secret, self.token = site, number, secret, token
        self.family, self.port, self.formats = family, port, list(formats)
        self.addr = site.addr(family)
        self.manners = Manners()
        self.ping_s, self.lagrq_s = 21, 10
        self.answers = 'at once'  # or 'rings', 'never', 'busy'
        self.ring_s = 0.5
        self.token_loop = self.proof_loop = self.doubles = False
        self.clients = {}         # {user name: secret} of those who may register
        self.registered = {}
        self.registrations = []   # (when, user name)
        self.refused = []
        self.dialogues = []
        self.calls = []           # inbound ones
        self.pongs = []
        self.got = []             # (when, octets, address): all that came
        self.sent = []            # (when, full frame)
        self.listeners = []       # on_up(call), on_frame(call, frame)
        self.script = None        # called with a new call, in place of what it does itself
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._sock = site.socket(port, family)
        self._sock.setblocking(False)
        self._key = os.urandom(16)
        self._timers = []
        self._calls_made = random.randrange(1000)
        self._log = []
        self._trouble = None
        self._closing = False
        self._taken = self._trunk_ts = 0
        self._began = time.monotonic()
        self._late_s = 0          # how much too late its timers were at most
        # Frames leave on time, however busy the machine is; of Python only one
        # thread runs at a time, so that all have to get on.
        be_realtime()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        self._closing = True
        self._thread.join(2)
        stood_still(self._late_s * 1000)
        if kind:
            sys.stderr.write(f'--- {self.number}, scripted\n')
            sys.stderr.writelines(self._log[-LOG_LINES:])
        elif self._trouble:
            raise Failed(f'peer {self.number}: {self._trouble}')

    def kill(self):
        """It dies without a word, and whoever sends to it is told so."""
        self._closing = True
        self._thread.join(2)
        self._sock.close()

    # --- doing --------------------------------------------------------------

    def dial(self, addr, number, *, port=4569, calling=None, username=None, secret=None,
             formats=None, extra=b''):
        """Call a number; the Call, at once."""
        formats = formats or self.formats
        with self.lock:
            call = Call(self, (addr, port), number, outbound=True)
            call.secret = secret if secret is not None else self.secret
            call.place(self._new_elements(number, calling or self.number, username, formats) + extra)
        return call

    def _new_elements(self, number, calling, username, formats):
        u8, every = iax2.u8, sum(formats)
        pairs = [(iax2.IE_VERSION, iax2.u16(2)), (iax2.IE_CALLED_NUMBER, number),
                 (iax2.IE_CODEC_PREFS, iax2.prefs_text(formats)),
                 (iax2.IE_CALLING_NUMBER, calling), (iax2.IE_CALLINGPRES, u8(0)),
                 (iax2.IE_CALLINGTON, u8(0)), (iax2.IE_CALLINGTNS, iax2.u16(0)),
                 (iax2.IE_CALLINGANI2, iax2.u32(0)), (iax2.IE_LANGUAGE, 'en')]
        if username is not None:
            pairs.append((iax2.IE_USERNAME, username))
        return iax2.ies(*pairs, (iax2.IE_FORMAT, iax2.u32(formats[0])),
                        (iax2.IE_FORMAT2, iax2.wide(formats[0])),
                        (iax2.IE_CAPABILITY, iax2.u32(every)),
                        (iax2.IE_CAPABILITY2, iax2.wide(every)),
                        (iax2.IE_ADSICPE, iax2.u16(2)), (iax2.IE_DATETIME, iax2.u32(DATETIME)))

    def register(self, addr, username, secret, *, port=4569, refresh_s=60):
        with self.lock:
            reg = Registration(self, (addr, port), username, secret, refresh_s)
            reg.ask()
        return reg

    def poke(self, addr, port=4569, timeout_s=2):
        """Seconds until the PONG; it repeats as Asterisk's qualify does."""
        with self.lock:
            src, before = self.new_callno(), len(self.pongs)
            began = time.monotonic()
            for at in (0, 0.5, 5.5):
                self.after(at, self._poke, src, (addr, port), before)
        self.wait('a PONG', lambda: len(self.pongs) > before, timeout_s)
        return time.monotonic() - began

    def _poke(self, src, addr, before):
        if len(self.pongs) == before:
            self.transmit(iax2.full(src, 0, 3, 0, 0, iax2.IAX, iax2.POKE,
                                    iax2.ies((iax2.IE_CALLTOKEN, b''))), addr)

    def inject(self, data, addr, port=4569):
        """Octets as they are."""
        with self.lock:
            self.transmit(data, (addr, port))

    # --- waiting ------------------------------------------------------------

    def wait(self, what, ready, timeout_s=5):
        deadline = time.monotonic() + timeout_s
        with self.lock:
            while True:
                if self._trouble:
                    raise Failed(f'peer {self.number}: {self._trouble}')
                found = ready()
                if found:
                    return found
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise Inexact(f'peer {self.number}: not within {timeout_s} s: {what}')
                self._changed.wait(min(left_s, 0.1))

    def full_frames(self):
        """All that came, in whatever call or none."""
        with self.lock:
            return [f for _, data, _ in self.got if isinstance(f := iax2.decode(data), iax2.Full)]

    def wait_call(self, timeout_s=5):
        """The next call that came, in the order of arrival."""
        call = self.wait('a call', lambda: len(self.calls) > self._taken and self.calls[self._taken],
                         timeout_s)
        self._taken += 1
        return call

    def skip_calls(self):
        """wait_call() is to give those from now on."""
        self._taken = len(self.calls)

    # --- the network --------------------------------------------------------

    def transmit(self, data, addr):
        self._note('>', data, addr)
        with contextlib.suppress(OSError):
            self._sock.sendto(data, addr)

    def _note(self, way, data, addr):
        what = iax2.decode(data)
        if isinstance(what, iax2.Full):
            if way == '>':
                self.sent.append((time.monotonic(), what))
            text = (f's={what.src} d={what.dst} ts={what.ts} o={what.oseq} i={what.iseq} '
                    f'{what.type}/{what.subclass}{" R" if what.resent else ""} '
                    f'{what.body[:60].hex() if what.type != iax2.VOICE else len(what.body)}')
        elif isinstance(what, iax2.Mini) and len(data) < 1400:
            return
        else:
            text = data[:40].hex()
        self._log.append(f'{time.monotonic() - self._began:8.3f} {way} {addr[0]}:{addr[1]} {text}\n')
        del self._log[:-1000]

    def _run(self):
        be_realtime()
        try:
            while not self._closing:
                with self.lock:
                    due = min([t[0] for t in self._timers] +
                              [d.next_due() for d in self.dialogues], default=float('inf'))
                wait_s = min(max(due - time.monotonic(), 0), 0.02)
                with contextlib.suppress(ValueError):
                    select.select([self._sock], [], [], wait_s)
                with self.lock:
                    if self._sock.fileno() < 0:
                        return
                    self._read()
                    now = time.monotonic()
                    self._late_s = max(self._late_s, now - due)
                    self._tick(now)
                    self._changed.notify_all()
        except Exception:
            self._trouble = traceback.format_exc()

    def _read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    data, addr = self._sock.recvfrom(65536)
                except ConnectionError:
                    continue
                self.got.append((time.monotonic(), data, addr[:2]))
                self._note('<', data, addr)
                self._on_datagram(iax2.decode(data), addr[:2])

    def _tick(self, now):
        for timer in [t for t in self._timers if now >= t[0]]:
            self._timers.remove(timer)
            timer[1](*timer[2])
        for d in list(self.dialogues):
            d.tick(now)
            # Then it is unknown, and whatever comes for it is met with silence.
            if d.state == 'down' and not d.unacked:
                self.dialogues.remove(d)

    def after(self, seconds, fn, *args):
        self._timers.append((time.monotonic() + seconds, fn, args))

    def new_callno(self):
        taken = {d.here for d in self.dialogues}
        while True:
            self._calls_made = self._calls_made % 16000 + 1
            if self._calls_made > 1 and self._calls_made not in taken:
                return self._calls_made

    def trunk_clock_ms(self):
        """The time stamp of the next trunk frame: 20 ms after the last one, if that is nearly so."""
        now, due = int((time.monotonic() - self._began) * 1000), self._trunk_ts + TRUNK_MS
        self._trunk_ts = due if abs(now - due) < TRUNK_SKEW_MS else now
        return self._trunk_ts

    # --- what comes in ------------------------------------------------------

    def _dialogue(self, addr, src, dst):
        for d in self.dialogues:
            if d.addr == addr and d.here == dst and d.there in (0, src):
                return d
        if dst == 0:  # Asterisk takes these for a call that it has
            for d in self.dialogues:
                if d.addr == addr and d.there == src:
                    return d
        return None

    def _on_datagram(self, what, addr):
        if isinstance(what, iax2.Full):
            self._on_full(what, addr)
        elif isinstance(what, iax2.Mini):
            self._on_voice(addr, what)
        else:
            for entry in what or ():
                self._on_voice(addr, entry)

    def _on_voice(self, addr, m):
        for d in self.dialogues:
            if isinstance(d, Call) and d.addr == addr and d.there == m.src:
                d.on_mini(m.ts or 0, m.data)

    def _on_full(self, f, addr):
        d = self._dialogue(addr, f.src, f.dst)
        if f.is_iax(iax2.NEW) and f.dst == 0:
            self._on_new(f, addr, d)
        elif f.is_iax(iax2.POKE) and f.dst == 0:
            self._stateless(f, addr, iax2.PONG)
        elif d:
            d.receive(f)
        elif f.is_iax(iax2.PONG):
            self.pongs.append(f)
        elif f.dst == 0 and (f.is_iax(iax2.REGREQ) or f.is_iax(iax2.REGREL)):
            self._on_registration(f, addr)

    def _stateless(self, f, addr, subclass, body=b''):
        self.transmit(iax2.full(1, f.src, f.ts, 0, f.oseq + 1, iax2.IAX, subclass, body), addr)

    def _make_token(self, addr, at):
        proof = hashlib.sha1(self._key + f'{addr}{at}'.encode()).hexdigest()
        return f'{at}?{proof}'.encode()

    def _has_token(self, f, addr):
        """Whether the frame may go on; what has to be said instead is said."""
        token = f.ies.get(iax2.IE_CALLTOKEN)
        if self.token == 'none':
            return True
        if token is None:
            self._stateless(f, addr, iax2.REJECT)
            return False
        if token == b'' or self.token_loop:
            self._stateless(f, addr, iax2.CALLTOKEN,
                            iax2.ies((iax2.IE_CALLTOKEN, self._make_token(addr, int(time.time())))))
            return False
        at = token.split(b'?')[0]
        if at.isdigit() and time.time() - int(at) <= TOKEN_S and token == self._make_token(addr, int(at)):
            return True
        self._stateless(f, addr, iax2.REJECT)
        return False

    def _on_new(self, f, addr, known):
        if known and not (self.doubles and f.resent):
            known.receive(f)
            return
        if not self._has_token(f, addr):
            return
        call = Call(self, addr, f.text(iax2.IE_CALLING_NUMBER), outbound=False)
        self.calls.append(call)
        call.take_new(f)
        self._welcome(call, f)

    def _welcome(self, call, f):
        if self.script:
            self.script(call)
            return
        unproved = [c for c in self.calls if c.challenge and not c.authreps and c.state == 'new']
        if f.text(iax2.IE_CALLED_NUMBER) != self.number:
            call.reject('No such context/extension', 3)
        elif not self._choose(f):
            call.reject('Unable to negotiate codec', 58)
        elif self.secret is None:
            self._let_in(call)
        elif len(unproved) > UNPROVED_MAX:
            call.reject('Unauthenticated call limit reached', 50)
        else:
            call.ask_for_proof(f.text(iax2.IE_USERNAME))

    def _choose(self, f):
        """The first of its own preferences that the caller has too."""
        theirs = (f.number(iax2.IE_CAPABILITY) or 0) | (f.number(iax2.IE_FORMAT) or 0)
        return next((fmt for fmt in self.formats if fmt & theirs), 0)

    def on_proof(self, call, f):
        if self.proof_loop:
            call.ask_for_proof('')
        elif f.text(iax2.IE_MD5_RESULT) == iax2.md5_result(call.challenge or '', self.secret or ''):
            self._let_in(call)
        else:
            call.reject('No authority found', 50)

    def _let_in(self, call):
        call.accept(self._choose(call.new))
        if self.answers == 'at once':
            call.answer()
        elif self.answers == 'rings':
            call.control(iax2.C_RINGING)
            self.after(self.ring_s, call.answer)
        elif self.answers == 'busy':
            call.control(iax2.C_BUSY)

    def _on_registration(self, f, addr):
        if self._has_token(f, addr):
            reg = Registrar(self, addr)
            reg.receive(f)

    # --- for what is built on it --------------------------------------------

    def on_up(self, call):
        for listener in self.listeners:
            listener.on_up(call)

    def on_frame(self, call, frame):
        for listener in self.listeners:
            listener.on_frame(call, frame)
