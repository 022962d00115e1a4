# SPDX-License-Identifier: MIT
"""A conference of scripted nodes of app_rpt, of ours and a hub, as a chain and as
a star: speech, lists, commands from afar, and whoever dies."""

from lab import missing
from network import ALL, EARS, HUB, Network
from tap import between, main, test

CHAIN = [('1997', '2001'), ('2001', '1998'), ('2000', '1998'), ('2002', '2000'), ('2002', '1999')]
STAR = [(n, HUB) for n in ALL if n != HUB]
LISTS_S = 35


def speech(net):
    print('# dB at worst:', *(f'{n} {net.heard_once(n):.0f}' for n in EARS))
    net.all_at_once()


@test
def a_chain_carries_speech_lists_and_commands():
    with Network(CHAIN) as net:
        print(f'# whole after {net.whole(LISTS_S):.1f} s')
        speech(net)


@test
def a_star_carries_speech_lists_and_commands():
    with Network(STAR) as net:
        print(f'# whole after {net.whole(LISTS_S):.1f} s')
        speech(net)


if __name__ == '__main__':
    main(missing())
