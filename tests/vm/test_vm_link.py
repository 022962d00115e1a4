# SPDX-License-Identifier: MIT
"""Two daemons with a fob each under Debian's kernel: guest_link.py in a guest."""

import os
import sys

import guest
from test_vm_fob import BUILD, HERE, MODULES, PYTHON, files

PROGRAMS = ('daemon/keyholed', 'daemon/keyhole-registrar', 'daemon/keyhole', 'tests/vm/tonesnr')


def main():
    lacks = guest.missing()
    if lacks:
        print('1..0 # SKIP missing: ' + ', '.join(lacks))
        return 0
    sys.stdout.flush()
    lab = os.path.join(os.path.dirname(HERE), 'lab')
    more = [os.path.join(BUILD, p) for p in PROGRAMS]
    more += [os.path.join(lab, f) for f in os.listdir(lab) if f.endswith('.py')]
    script = os.path.join(HERE, 'guest_link.py')
    return guest.run(['env', f'KEYHOLE_BUILD={BUILD}', PYTHON, script, '--jobs', '1', *sys.argv[1:]],
                     (*MODULES, 'dummy', 'nf_tables'), [*files(), 'nft', *more], timeout_s=1700)


if __name__ == '__main__':
    sys.exit(main())
