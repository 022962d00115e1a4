# SPDX-License-Identifier: MIT
"""A sound card through ALSA and the kernel's driver: guest_sound.py in a guest."""

import sys

from launch import launch

if __name__ == '__main__':
    sys.exit(launch('guest_sound.py', ('tests/vm/soundprobe', 'tests/vm/tonesnr'), timeout_s=800))
