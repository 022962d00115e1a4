# SPDX-License-Identifier: MIT
"""Sounds for the tests, and what a frame of each codec holds of them (by sox)."""

import array
import math
import subprocess
import wave

import iax2
from tap import Failed

RATE = 8000
FRAME_MS = 20
WAV_HEADER = 44

# sox's words for raw files of a codec, and the octets of 20 ms.
_SOX = {
    'ulaw': (['-t', 'ul', '-r', '8000', '-c', '1'], 160),
    'alaw': (['-t', 'al', '-r', '8000', '-c', '1'], 160),
    'gsm': (['-t', 'gsm', '-r', '8000', '-c', '1'], 33),
    'adpcm': (['-t', 'vox', '-r', '8000', '-c', '1'], 80),
    'slin': (['-t', 'raw', '-r', '8000', '-c', '1', '-e', 'signed', '-b', '16', '-B'], 320),
    'slin16': (['-t', 'raw', '-r', '16000', '-c', '1', '-e', 'signed', '-b', '16', '-B'], 640),
}
NAMES = {number: name for name, number in iax2.FORMATS.items()}


def write_wav(path, samples):
    with wave.open(path, 'wb') as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(array.array('h', samples).tobytes())
    return path


def sweep(path, seconds=1.0, low_hz=300, high_hz=3000, peak=8000):
    """A tone that rises: wherever a piece of it is, there is no other like it."""
    n = int(seconds * RATE)
    rate = (high_hz - low_hz) / seconds / 2
    return write_wav(path, [int(peak * math.sin(2 * math.pi * (low_hz + rate * i / RATE) * i / RATE))
                            for i in range(n)])


def read_wav(path):
    """Its samples, also where its header has not caught up with them."""
    with open(path, 'rb') as f:
        data = f.read()[WAV_HEADER:]
    return array.array('h', data[:len(data) // 2 * 2])


def _sox(argv, data=b''):
    done = subprocess.run(['sox', '-D', *argv], input=data, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f'sox {" ".join(argv)}: {done.stderr.decode()}')
    return done.stdout


def frames(wav, codec='ulaw'):
    """A WAV file as payloads of 20 ms each."""
    words, size = _SOX[codec]
    data = _sox([wav, *words, '-'])
    return [data[i:i + size] for i in range(0, len(data) - size + 1, size)]


def write_heard(path, heard, begin=0):
    """What a scripted call heard, put where its time stamps say, as a WAV file."""
    heard = heard[begin:]
    if not heard:
        raise Failed('nothing was heard')
    first = min(ts for ts, _, _ in heard)
    played = {}
    for ts, fmt, data in heard:
        played.setdefault((ts - first) // FRAME_MS, (fmt, data))
    words, size = _SOX[NAMES[heard[0][1]]]
    silence = {'ulaw': b'\xff', 'alaw': b'\xd5'}.get(NAMES[heard[0][1]], b'\0') * size
    data = b''.join(played.get(i, (0, silence))[1] for i in range(max(played) + 1))
    _sox([*words, '-', '-t', 'wav', '-r', '8000', '-e', 'signed', '-b', '16', path], data)
    return path


def tone_seconds(samples, hz):
    """For how long in all a tone is nearly everything that there is."""
    size, seconds = RATE // 20, 0.0
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    for at in range(0, len(samples) - size + 1, size):
        a = b = total = 0.0
        for x in samples[at:at + size]:
            a, b, total = x + turn * a - b, a, total + x * x
        # Goertzel's sum, against what a tone alone would give.
        alone = (a * a + b * b - turn * a * b) * 2 / size
        if total / size > 100 ** 2 and alone > 0.9 * total:
            seconds += size / RATE
    return seconds
