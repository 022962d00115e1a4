# SPDX-License-Identifier: MIT
"""Start a script of this folder in a guest, with the programs that it needs."""

import os
import sys

import guest

HERE = os.path.dirname(os.path.abspath(__file__))
LAB = os.path.join(os.path.dirname(HERE), 'lab')
BUILD = os.path.abspath(os.environ.get('KEYHOLE_BUILD', 'build/dev'))
PYTHON = '/usr/bin/python3'
MODULES = ('vhci-hcd', 'snd-usb-audio', 'usbhid', 'hid-generic')
NODE = ('daemon/keyholed', 'daemon/keyhole')
# Python, ALSA's programs, the emulator.
FILES = (PYTHON, '/usr/lib/python3.11', '/usr/share/alsa', 'aplay', 'arecord', 'amixer', 'env',
         os.path.join(BUILD, 'tests/vm/cm108emu'))


def scripts(folder):
    return [os.path.join(folder, f) for f in os.listdir(folder) if f.endswith('.py')]


def launch(script, built=(), modules=(), files=(), timeout_s=5300):
    """Its exit status; @built are programs of the build, @modules and @files are needed besides."""
    lacks = guest.missing()
    if lacks:
        print('1..0 # SKIP missing: ' + ', '.join(lacks))
        return 0
    sys.stdout.flush()
    return guest.run(['env', f'KEYHOLE_BUILD={BUILD}', PYTHON, os.path.join(HERE, script),
                      '--jobs', '1', *sys.argv[1:]],
                     (*MODULES, *modules),
                     [*FILES, *files, *(os.path.join(BUILD, p) for p in built),
                      *scripts(HERE), *scripts(LAB)], timeout_s=timeout_s)
