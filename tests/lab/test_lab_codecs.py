# SPDX-License-Identifier: MIT
"""Whole programs speak each kind of codec: what one radio hears the other
transmits, and both say which codec it was."""

import os

from lab import Lab, missing, wait_until
from stations import snr, speech
from tap import between, equal, main, test
from topology import World


def speak(codecs, agreed, least_db, most_db):
    """The caller offers only these codecs; its speech arrives this well."""
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.node('2001', lab.host('a'), iax2={'codecs': codecs})
        b = world.public('2002', 'b')
        world.up()
        wav = speech(os.path.join(lab.dir, 'speech.wav'), 4)
        a.connect(b.number)
        wait_until(lambda: [x['state'] for x in b.links()] == ['up'], 2, 'the link at both ends')
        equal([agreed], [link['codec'] for link in a.links()], "the caller's codec")
        equal([agreed], [link['codec'] for link in b.links()], "the other's codec")
        a.play(wav)
        wait_until(lambda: len(b.ptt_edges()) >= 2, 15, 'the end of the transmission')
        equal(0, b.links()[0]['loss_pct'], 'loss')
        b.stop()
        between(least_db, snr(wav, b.tx_wav)['snr_db'], most_db, 'snr_db')


@test
def linear_arrives_sample_for_sample():
    speak(['slin'], 'slin', 120, 120)


@test
def g726_arrives():
    speak(['g726aal2'], 'g726aal2', 15, 40)


@test
def gsm_arrives():
    speak(['gsm'], 'gsm', 5, 20)


@test
def of_several_codecs_one_is_agreed():
    speak(['ulaw', 'gsm'], 'ulaw', 30, 45)


if __name__ == '__main__':
    main(missing())
