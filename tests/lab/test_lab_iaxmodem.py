# SPDX-License-Identifier: MIT
"""iaxmodem, a real IAX2 client that is not ours, with keyhole-registrar and
keyholed: registration, calls both ways, and sound in them."""

import contextlib
import os
import shutil

from iaxmodem import CED_HZ, CNG_HZ, Modem
from lab import Lab, missing, wait_until
from pairs import SECRET, Events, secret_file
from sound import read_wav, sweep, tone_seconds
from stations import KEYHOLE, Node, Registrar, snr
from tap import equal, main, test, true, within

NUMBER = '1997'
CLEAN_DB = 30


class Line:
    """A modem's site and a node; a registrar for both, or each knows where the other is."""

    def __init__(self, lab, registrar=False, codecs=(), tokens_optional=True):
        self.lab = lab
        self.site = lab.host('modem')
        self.secret_file = secret_file(lab)
        iax2 = {'calltoken_optional': [self.site.addr4] if tokens_optional else []}
        peer = {'number': NUMBER, 'secret_file': self.secret_file}
        if not registrar:
            peer['host'] = self.site.addr4
        self.registrar = Registrar(lab, lab.host('registrar'), iax2=iax2) if registrar else None
        if registrar:
            added = self.registrar.command('node', 'add', NUMBER, '--md5-secret', self.secret_file)
            equal((0, ''), (added.returncode, added.stderr), 'node add')
        self.node = Node(lab, lab.host('node'), '2001', self.registrar, peers=[peer],
                         iax2={**iax2, 'codecs': list(codecs)})
        wait_until(self.node.status, 10, 'the node to start')
        if registrar:
            self.node.wait_registered()
        self.events = Events(self.node)
        self.wav = sweep(os.path.join(lab.dir, 'sweep.wav'))

    def modem(self, secret=SECRET, **more):
        """One that registers if there is a registrar, else sends its calls to the node."""
        if self.registrar:
            return Modem(self.lab, self.site, NUMBER, self.registrar.host.addr4, secret, refresh_s=60, **more)
        return Modem(self.lab, self.site, NUMBER, self.node.host.addr4, secret, **more)

    def online(self):
        return self.registrar.status()['plain']['online']

    def is_up(self, direction, codec='ulaw'):
        link = wait_until(lambda: [x for x in self.node.links() if x['state'] == 'up'], 5, 'the link')[0]
        equal((NUMBER, direction, codec), (link['node'], link['direction'], link['codec']), 'the link')

    def called(self, modem, codec='ulaw'):
        """The node calls it; it rings, and answers."""
        self.node.host.popen([KEYHOLE, '-s', self.node.socket, 'connect', NUMBER, '--wait', '10'])
        modem.expect(rb'RING')
        modem.write('ATA')
        self.is_up('out', codec)

    def modem_hears(self, modem, least_db=CLEAN_DB):
        self.node.play(self.wav)
        self.events.wait('cor', 2)

        def heard():
            path = modem.heard(os.path.join(self.lab.dir, 'heard.wav'))
            return snr(self.wav, path)['snr_db'] >= least_db
        # It writes what it received in blocks.
        wait_until(heard, 3, f'the modem to hear it with {least_db} dB', every_s=0.2)

    def node_hears(self, hz, seconds):
        wait_until(lambda: tone_seconds(read_wav(self.node.tx_wav), hz) >= seconds, 10,
                   f'{seconds} s of {hz} Hz, transmitted', every_s=0.2)
        link = self.node.links()[0]
        true(link['rx_frames'] > seconds * 50, f'frames: {link}')

    def is_over(self, why, count=1):
        ended = self.events.wait('link_down', count)[-1]
        true(why in ended['why'], f'want {why!r} in {ended}')
        equal([], self.node.links(), 'links')
        # The transmitter follows with the next block of sound.
        wait_until(lambda: not self.node.status()['radio']['ptt'], 0.1, 'PTT off')


@contextlib.contextmanager
def line(**how):
    with Lab(delay_ms=5) as lab:
        made = Line(lab, **how)
        yield made
        made.node.stop()
        equal(0, made.node.process.returncode, "the node's exit status")


@test
def it_registers_and_is_called_by_number():
    with line(registrar=True) as phone:
        modem = phone.modem()
        modem.wait_log('Registration completed')
        equal(1, phone.online(), 'plain clients online')
        phone.called(modem)
        phone.node_hears(CED_HZ, 2)
        phone.modem_hears(modem)
        modem.hang_up()
        phone.is_over('Normal disconnect')
        modem.stop()
        wait_until(lambda: phone.online() == 0, 3, 'it to take its registration back')
        code, said, _ = phone.node.refused(NUMBER)
        equal(1, code, said)


@test
def it_calls_a_node():
    with line() as phone:
        modem = phone.modem()
        modem.write('ATDT2001')
        phone.is_up('in')
        phone.node_hears(CNG_HZ, 0.4)
        phone.modem_hears(modem)
        modem.hang_up()
        phone.is_over('Normal disconnect')
        wait_until(lambda: phone.node.status()['limits']['calls']['now'] == 0, 8, 'the call to be forgotten')


@test
def the_node_hangs_up():
    with line() as phone:
        modem = phone.modem()
        modem.write('ATDT2001')
        phone.is_up('in')
        equal(0, phone.node.console('disconnect', NUMBER).returncode, 'disconnect')
        modem.wait_log('Remote hangup')
        equal([], phone.node.links(), 'links')


def it_speaks(codec, modems_name):
    with line(codecs=[codec]) as phone:
        modem = phone.modem(codec=modems_name)
        phone.called(modem, codec)
        phone.node_hears(CED_HZ, 2)
        phone.modem_hears(modem)


@test
def it_speaks_alaw():
    it_speaks('alaw', 'alaw')


@test
def it_speaks_linear_samples():
    it_speaks('slin', 'slinear')


@test
def without_a_call_token_it_is_refused_where_it_is_not_listed():
    with line(tokens_optional=False) as phone:
        modem = phone.modem()
        modem.write('ATDT2001')
        modem.expect(rb'NO DIALTONE')
        equal([], phone.node.links(), 'links')
        within(1, phone.node.status()['counters']['token_bad'], 20, 'token_bad')
        equal(0, phone.node.status()['limits']['calls']['now'], 'calls')


@test
def with_a_wrong_secret_it_neither_registers_nor_calls():
    with line(registrar=True) as phone:
        modem = phone.modem('wrong')
        modem.wait_log('Registration failed')
        equal(0, phone.online(), 'plain clients online')
    with line() as phone:
        modem = phone.modem('wrong')
        modem.write('ATDT2001')
        modem.expect(rb'NO DIALTONE')
        equal(1, phone.node.status()['counters']['auth_failed'], 'auth_failed')
        equal([], phone.node.links(), 'links')


if __name__ == '__main__':
    main(missing() or (None if shutil.which('iaxmodem') else 'needs iaxmodem'))
