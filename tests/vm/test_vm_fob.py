# SPDX-License-Identifier: MIT
"""The emulated fob under Debian's kernel: guest_fob.py in a guest."""

import os
import sys

import guest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get('KEYHOLE_BUILD', 'build/dev'))
MODULES = ('vhci-hcd', 'snd-usb-audio', 'usbhid', 'hid-generic')
PYTHON = '/usr/bin/python3'


def files():
    """What a test in the guest needs: Python, ALSA's programs, ours."""
    lab = os.path.join(os.path.dirname(HERE), 'lab')
    return [PYTHON, '/usr/lib/python3.11', '/usr/share/alsa', 'aplay',
            'arecord', 'amixer', 'env',
            os.path.join(BUILD, 'tests/vm/cm108emu'),
            os.path.join(lab, 'tap.py'),
            *(os.path.join(HERE, f) for f in os.listdir(HERE) if f.endswith('.py'))]


def main():
    lacks = guest.missing()
    if lacks:
        print('1..0 # SKIP missing: ' + ', '.join(lacks))
        return 0
    sys.stdout.flush()
    script = os.path.join(HERE, 'guest_fob.py')
    return guest.run(['env', f'KEYHOLE_BUILD={BUILD}', PYTHON, script,
                      '--jobs', '1'], MODULES, files(), timeout_s=400)


if __name__ == '__main__':
    sys.exit(main())
