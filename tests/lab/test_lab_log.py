# SPDX-License-Identifier: MIT
"""The log: a line for each event that matters, and never more than a few of a
kind, whoever causes them."""

import json
import os
import re

from lab import Lab, missing, wait_until
from pairs import Events
from tap import between, equal, main, test, true
from topology import CARRIER, World

HOOK = '#!/bin/sh\ncat >> "$(dirname "$0")/told"\n'
LINES = 10  # of a kind in a minute
RECORD = re.compile(r'link to 2002 ended here after [\d.]+ s: disconnected here '
                    r'\(\S+:\d+, we called, transceive, path opened, \w+; '
                    r'sent (\d+) packets of (\d+) octets, received (\d+) of (\d+), '
                    r'lost 0\.0 %, jitter \d+ ms, round trip \d+ ms\)')


def lines(process, words):
    """The lines with these words, without their times; debugging apart."""
    with open(process.log, encoding='utf-8') as f:
        found = [line.rstrip('\n').split(' ', 1)[1] for line in f if words in line]
    return [line for line in found if not line.startswith('debug: ')]


def hook(lab):
    path = os.path.join(lab.dir, 'hook')
    with open(path, 'w', encoding='ascii') as f:
        f.write(HOOK)
    os.chmod(path, 0o755)
    return path


def told(lab):
    """The events that the hook was given, so far."""
    path = os.path.join(lab.dir, 'told')
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as f:
        return [json.loads(line) for line in f if line.endswith('\n')]


@test
def a_call_is_a_line_when_it_comes_and_its_record_when_it_is_over():
    with Lab(delay_ms=25) as lab:
        world = World(lab)
        a = world.behind('2001', CARRIER, hooks={'program': hook(lab), 'events': ['call_record']})
        b = world.behind('2002', CARRIER)
        c = world.behind('2003', CARRIER, accept={'deny': ['2001']})
        world.up()
        events = Events(a)
        a.connect('2002')
        a.console('disconnect', '2002')
        record = events.wait('call_record')[0]
        wait_until(lambda: not b.links(), 5, 'the other end')
        equal(1, len(lines(a.process, 'keyholed ')), 'lines at the start')
        true(a.conf in lines(a.process, 'keyholed ')[0], 'it names its configuration')
        equal(1, len(lines(a.process, world.registrar.host.addr4)), 'lines of the registration')
        up, over = lines(a.process, 'link to 2002')
        true(up.startswith('link to 2002 is up: we called, at '), up)
        found = RECORD.fullmatch(over)
        true(found, over)
        equal([record[x] for x in ('tx_packets', 'tx_octets', 'rx_packets', 'rx_octets')],
              [int(x) for x in found.groups()], 'traffic, in the line and in the event')
        between(1, record['tx_packets'], 1000, 'packets sent')
        equal(('2002', 'out', 'here', 'opened', 1),
              tuple(record[x] for x in ('node', 'direction', 'ended_by', 'path', 'call')), 'record')
        over = lines(b.process, 'link to 2001')[-1]
        true(over.startswith('link to 2001 ended by the other node after '), over)
        # The same for the operator's program, and nothing else that it did not ask for.
        given = wait_until(lambda: told(lab), 5, 'the hook to be told')
        equal(['call_record'], [e['event'] for e in given], 'what the hook was told')
        equal(record, {k: v for k, v in given[0].items() if k != 'node_number'}, 'the record')
        equal('2001', given[0]['node_number'], 'whose it is')

        # Whoever calls and calls is a few lines, and a number when it is over.
        for _ in range(LINES + 2):
            a.refused('2003')
        equal(LINES, len(lines(c.process, 'refused a call from 2001')), 'lines of refusals')
        c.stop()
        counted = lines(c.process, 'more like this in 60 s: refused a call from 2001')
        equal(1, len(counted), 'lines that count')
        true(int(counted[0].split()[1]) >= 2, counted[0])


if __name__ == '__main__':
    main(missing())
