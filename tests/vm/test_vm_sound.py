# SPDX-License-Identifier: MIT
"""A sound card through ALSA and the kernel's driver: guest_sound.py in a guest."""

import os
import sys

import guest
import test_vm_fob

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    lacks = guest.missing()
    if lacks:
        print('1..0 # SKIP missing: ' + ', '.join(lacks))
        return 0
    sys.stdout.flush()
    build = test_vm_fob.BUILD
    files = [*test_vm_fob.files(), *(os.path.join(build, 'tests/vm', f) for f in ('soundprobe', 'tonesnr'))]
    return guest.run(['env', f'KEYHOLE_BUILD={build}', test_vm_fob.PYTHON,
                      os.path.join(HERE, 'guest_sound.py'), '--jobs', '1', *sys.argv[1:]],
                     test_vm_fob.MODULES, files, timeout_s=800)


if __name__ == '__main__':
    sys.exit(main())
