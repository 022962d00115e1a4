# SPDX-License-Identifier: MIT
"""Speech for announcements: make.py ESPEAK FOLDER NAME...

Each NAME becomes FOLDER/NAME.wav, 8 kHz mono PCM of 16 bits.
"""

import io
import math
import os
import subprocess
import sys
import wave

RATE = 8000
PEAK = 10 ** (-9 / 20) * 32767  # as loud as a voice with some room above it
REACH = 24  # input samples to each side of an output sample
QUIET = 200

# What is said where it is not the name itself.
WORDS = {'all-off': 'all links off', 'time-is': 'the time is', 'no-links': 'no links',
         'z': 'zulu', 'a': 'ay', '0': 'zero'}


def espeak(program, text):
    """Its samples and their rate."""
    said = subprocess.run([program, '-v', 'en', '-s', '150', '--stdout', text], check=True,
                          capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as w:
        data = w.readframes(w.getnframes())
        return memoryview(data[:len(data) // 2 * 2]).cast('h').tolist(), w.getframerate()


def resample(samples, rate):
    """By a windowed sinc, low enough for the new rate."""
    cut = 0.9 * min(1, RATE / rate)
    out = []
    for i in range(int(len(samples) * RATE / rate)):
        at = i * rate / RATE
        first = int(at) - REACH + 1
        total = 0.0
        for k in range(max(first, 0), min(first + 2 * REACH, len(samples))):
            x = at - k
            sinc = math.sin(math.pi * cut * x) / (math.pi * x) if x else cut
            total += samples[k] * sinc * (0.5 + 0.5 * math.cos(math.pi * x / REACH))
        out.append(total)
    return out


def trim(samples):
    loud = [i for i, s in enumerate(samples) if abs(s) > QUIET]
    return samples[loud[0]:loud[-1] + 1] if loud else samples


def write(path, samples):
    scale = PEAK / max(max(abs(s) for s in samples), 1)
    data = b''.join(int(s * scale).to_bytes(2, 'little', signed=True) for s in samples)
    with wave.open(path, 'wb') as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(data)


def main(program, folder, *names):
    for name in names:
        samples, rate = espeak(program, WORDS.get(name, name.replace('-', ' ')))
        write(os.path.join(folder, name + '.wav'), trim(resample(samples, rate)))


main(*sys.argv[1:])
