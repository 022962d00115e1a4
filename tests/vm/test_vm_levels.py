# SPDX-License-Identifier: MIT
"""A fob's levels under Debian's kernel: guest_levels.py in a guest."""

import sys

from launch import NODE, launch

if __name__ == '__main__':
    sys.exit(launch('guest_levels.py', NODE))
