# SPDX-License-Identifier: MIT
"""The devices that the udev rules open are those that the package announces.

    hardware.py TREE
"""

import os
import re
import sys
import xml.etree.ElementTree as ET

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


def read(tree, name):
    with open(os.path.join(tree, 'packaging', 'debian', name), encoding='utf-8') as f:
        return f.read()


def main(tree):
    tap = Tap()
    rules, metainfo = read(tree, 'keyhole.udev'), read(tree, 'keyhole.metainfo.xml')
    want, got = opened(rules), announced(metainfo)
    tap.line(len(want) == rules.count('|') + rules.count('idVendor'), 'every rule is understood')
    tap.line(want == got, 'what is opened is announced', sorted(want ^ got))
    return tap.done()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
