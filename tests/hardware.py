# SPDX-License-Identifier: MIT
"""The devices that the udev rules open are those that the package announces and the node knows.

    hardware.py TREE
"""

import os
import re
import sys
import xml.etree.ElementTree as ET
from fnmatch import fnmatchcase

from house import Tap


def opened(text):
    """Vendor and product patterns of the udev rules, as in a modalias."""
    found = set()
    for vendor, products in re.findall(r'ATTR\{idVendor\}=="(\w+)",(?: ATTR\{idProduct\}=="([^"]+)")?',
                                       text):
        for product in (products or '*').upper().split('|'):
            end = '' if product.endswith('*') else 'd*'
            found.add(f'usb:v{vendor.upper()}p{product}{end}')
    return found


def announced(text):
    return {m.text for m in ET.fromstring(text).findall('provides/modalias')}


def modelled(text):
    """The table of models, as modaliases without a wild card."""
    makers = {name: int(n, 16) for name, n in re.findall(r'#define (\w+) (0x\w+)U', text)}
    rows = re.findall(r'\.vendor = (\w+),\s*\.product = (0x\w+),', text)
    return {f'usb:v{makers.get(vendor) or int(vendor, 16):04X}p{int(product, 16):04X}d'
            for vendor, product in rows}


def read(tree, name, folder=('packaging', 'debian')):
    with open(os.path.join(tree, *folder, name), encoding='utf-8') as f:
        return f.read()


def main(tree):
    tap = Tap()
    rules, metainfo = read(tree, 'keyhole.udev'), read(tree, 'keyhole.metainfo.xml')
    want, got = opened(rules), announced(metainfo)
    tap.line(len(want) == rules.count('|') + rules.count('idVendor'), 'every rule is understood')
    tap.line(want == got, 'what is opened is announced', sorted(want ^ got))
    models = modelled(read(tree, 'cm108.c', ('radio',)))
    tap.line(len(models) > 10, 'the table of models is understood')
    closed = sorted(m for m in models if not any(fnmatchcase(m, w) for w in want))
    tap.line(not closed, 'what the node knows is opened', closed)
    strange = sorted(w for w in want if not any(fnmatchcase(m, w) for m in models))
    tap.line(not strange, 'what is opened is known to the node', strange)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
