# SPDX-License-Identifier: MIT
"""Two daemons with a fob each under Debian's kernel: guest_link.py in a guest."""

import sys

from launch import NODE, launch

if __name__ == '__main__':
    sys.exit(launch('guest_link.py', (*NODE, 'daemon/keyhole-registrar', 'tests/vm/tonesnr'),
                    ('dummy', 'nf_tables'), ['nft']))
