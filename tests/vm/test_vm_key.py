# SPDX-License-Identifier: MIT
"""A node and its fob under Debian's kernel: guest_key.py in a guest."""

import sys

from launch import NODE, launch

if __name__ == '__main__':
    sys.exit(launch('guest_key.py', NODE))
