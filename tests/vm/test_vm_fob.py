# SPDX-License-Identifier: MIT
"""The emulated fob under Debian's kernel: guest_fob.py in a guest."""

import sys

from launch import launch

if __name__ == '__main__':
    sys.exit(launch('guest_fob.py', timeout_s=400))
