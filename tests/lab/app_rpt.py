# SPDX-License-Identifier: MIT
"""What AllStarLink's app_rpt does on top of a scripted peer's calls.

    with Asterisk(...) as pbx:
        rpt = AppRpt(pbx)
        rpt.of(call).state          # 'A', 'B' or 'C'
        rpt.keep('2001', addr)      # a permanent link
        rpt.connect('2002', addr)   # False: it is in the conference already

States of a link: C, each voice frame keys and UNKEY ends it, and voice is sent
only while somebody speaks; B, KEY or UNKEY are repeated every 2 s; A, KEY and
UNKEY decide, and voice flows always.
"""

import time

import iax2
from asterisk_call import Call

NEWKEY_S = 2.0    # until a link whose other end says nothing is taken for an old one
FIRST_S = 0.5
LIST_S = 30.0
JOIN_S = 0.25     # from a change until the list that tells of it
LINGER_S = 0.05   # C: keyed for so long after a voice frame
REFRESH_S = 2.0
LOST_S = 10.0     # B: unkeyed without a refresh for so long
KEEP_S = 5.0      # between two tries of a link that is to stay
SILENCE = b'\xff' * 160


class RptLink:
    """What app_rpt keeps of one call."""

    def __init__(self, call):
        self.call = call
        self.state = 'C'
        self.timer = None     # when the state becomes A unless the other end speaks up
        self.keyed = False    # the other end's voice is heard
        self.spoke_at = 0.0
        self.keyings = []     # (seconds since it came up, keyed)
        self.up_at = self.told_at = time.monotonic()
        self.nodes = None     # what the other end listed


class AppRpt:
    """The links of a scripted peer, kept as app_rpt keeps them.

    new: whether it knows !NEWKEY1!; one that does not is an old node.
    """

    def __init__(self, pbx, new=True):
        self.pbx, self.new = pbx, new
        self.links = []
        self.heard = []       # (link, text)
        self.digits = ''      # sent to this node by D
        pbx.listeners.append(self)

    def of(self, call):
        return next(link for link in self.links if link.call is call)

    def up(self):
        return [link for link in self.links if link.call.state == 'up']

    def known(self):
        """All that are linked, as its links' lists say, each as often as it is."""
        with self.pbx.lock:
            return [number for link in self.up()
                    for number in [link.call.number, *(x[1:] for x in link.nodes or () if x[0] != 'C')]]

    # --- dialling -----------------------------------------------------------

    def connect(self, number, addr):
        """As its operator asks for; False: no, that would be a loop."""
        with self.pbx.lock:
            if number in self.known():
                return False
            self.pbx.dial(addr, number, username='radio')
            return True

    def keep(self, number, addr):
        """A permanent link: dialled whenever it is not there."""
        with self.pbx.lock:
            if not any(d.number == number for d in self.pbx.dialogues
                       if isinstance(d, Call) and d.state != 'down'):
                self.connect(number, addr)
            self.pbx.after(KEEP_S, self.keep, number, addr)

    # --- events -------------------------------------------------------------

    def on_up(self, call):
        for former in self.up():  # it has lost the link that is still held here
            if former.call.number == call.number:
                former.call.hangup()
        link = RptLink(call)
        self.links.append(link)
        link.timer = time.monotonic() + NEWKEY_S
        if not call.outbound:
            self.pbx.after(FIRST_S, self._greet, link)
        else:
            self._greet(link, f'T {self.pbx.number} COMPLETE')
            self._say(link, f'T {self.pbx.number} CONNECTED,{self.pbx.number},{call.number}')
        self.pbx.after(JOIN_S, self._list_all)
        self._watch(link)

    def on_frame(self, call, f):
        link = next((x for x in self.links if x.call is call), None)
        if link is None:
            return
        if f.type == iax2.TEXT:
            self._on_text(link, f.body.split(b'\0')[0].decode('latin-1'))
        elif f.kind == (iax2.CONTROL, iax2.C_UNKEY):
            call.heard_at = None
            self._set_keyed(link, False)
        elif f.kind == (iax2.CONTROL, iax2.C_KEY) and link.state != 'C':
            link.spoke_at = time.monotonic()
            self._set_keyed(link, True)

    def _greet(self, link, *more):
        for text in (['!NEWKEY1!'] if self.new else []) + [*more, self._list_for(link)]:
            self._say(link, text)

    def _on_text(self, link, text):
        self.heard.append((link, text))
        if text == '!NEWKEY1!' and self.new:
            link.timer, link.state = None, 'C'
        elif text == '!NEWKEY!' and (link.timer or link.state == 'A'):
            link.timer, link.state = None, 'B'
            self._say(link, '!NEWKEY!')
        elif text == '!!DISCONNECT!!':
            self.pbx.after(0.06, link.call.hangup, 0)
        elif text.startswith('L'):
            known, link.nodes = link.nodes or [], [x for x in text[1:].strip().split(',') if x]
            if link.nodes != known:
                self.pbx.after(JOIN_S, self._list_all)
        else:
            self._cross(link, text)

    def _cross(self, link, text):
        """What goes on to others unless it is for this node alone, or of it."""
        kind, *words = text.split(' ')
        if kind not in ('T', 'M', 'D', 'K', 'K?', 'I', 'G') or not words:
            return
        to, by = (words + [''])[:2] if kind in ('M', 'D', 'K', 'K?') else ('*', words[0])
        if by == self.pbx.number:
            return
        if kind == 'K?' and to in ('*', self.pbx.number):
            self._say(link, f'K {by} {self.pbx.number} 0 73')
        elif kind == 'D' and to == self.pbx.number:
            self.digits += words[-1]
        if to == self.pbx.number:
            return
        next_to_it = [x for x in self.up() if kind in ('D', 'K', 'K?') and x.call.number == to]
        for other in next_to_it or self.up():
            if other is not link:
                self._say(other, text)

    # --- saying -------------------------------------------------------------

    def _say(self, link, text):
        if link.call.state == 'up':
            link.call.text(text)

    def _list_for(self, link):
        listed = {}
        for other in self.up():
            if other is not link:
                listed[other.call.number] = 'T'
                listed.update((x[1:], x[0]) for x in other.nodes or () if x[1:] not in listed)
        for known in (link.call.number, self.pbx.number):
            listed.pop(known, None)
        return 'L ' + ','.join(mode + number for number, mode in listed.items())

    def _list_all(self):
        for link in self.links:
            self._say(link, self._list_for(link))

    def say(self, call, text):
        with self.pbx.lock:
            self._say(self.of(call), text)

    def command(self, number, digits, gap_s=0.1):
        """Digits for one node, however far, as command mode sends them."""
        with self.pbx.lock:
            for i, digit in enumerate(digits):
                self.pbx.after(i * gap_s, self._digit, number, i, digit)

    def _digit(self, number, seq, digit):
        links = self.up()
        for link in [x for x in links if x.call.number == number] or links:
            self._say(link, f'D {number} {self.pbx.number} {seq + 1} {digit}')

    def disconnect(self, call):
        """Its operator's command."""
        with self.pbx.lock:
            self._say(self.of(call), '!!DISCONNECT!!')
            self.pbx.after(0.2, call.hangup, 0)

    def talk(self, call, frames):
        """Somebody speaks here: voice, then UNKEY and comfort noise."""
        with self.pbx.lock:
            if self.of(call).state != 'C':
                call.key()
            call.talk(frames)
            self.pbx.after(len(frames) * 0.02 + 0.05, self._unkey, call)

    @staticmethod
    def _unkey(call):
        if call.state == 'up':
            call.unkey()
            call.cng()

    # --- time ---------------------------------------------------------------

    def _set_keyed(self, link, keyed):
        if link.keyed != keyed:
            link.keyed = keyed
            link.keyings.append((time.monotonic() - link.up_at, keyed))

    def _watch(self, link):
        """Every few milliseconds while the link is up."""
        call, now = link.call, time.monotonic()
        if call.state != 'up':
            self._set_keyed(link, False)
            self.pbx.after(JOIN_S, self._list_all)
            return
        if link.timer and now >= link.timer:
            link.timer, link.state = None, 'A'
        if link.state == 'C' and call.heard_at is not None:
            self._set_keyed(link, now - call.heard_at < LINGER_S + 0.02)
        elif link.state == 'B' and link.keyed and now - link.spoke_at > LOST_S:
            self._set_keyed(link, False)
        if link.state == 'B' and now - link.told_at >= REFRESH_S:
            link.told_at = now
            call.unkey()
        if link.state == 'A' and not call.talking:
            call.talk([SILENCE] * 50)
        if now - link.told_at >= LIST_S and link.state != 'B':
            link.told_at = now
            self._say(link, self._list_for(link))
        self.pbx.after(0.01, self._watch, link)
