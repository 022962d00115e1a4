# SPDX-License-Identifier: MIT
"""A conference of scripted nodes of app_rpt, of ours and a hub, as a chain and as
a star: speech, lists, commands from afar, and whoever dies."""

from lab import missing
from network import ALL, EARS, HUB, Network
from tap import between, main, test

CHAIN = [('1997', '2001'), ('2001', '1998'), ('2000', '1998'), ('2002', '2000'), ('2002', '1999')]
STAR = [(n, HUB) for n in ALL if n != HUB]
LISTS_S = 35
# 30 s of silence or 31 s of repetition until a death is known, 5 s until the next dial, the lists.
HEAL_S = 60


def speech(net):
    print('# dB at worst:', *(f'{n} {net.heard_once(n):.0f}' for n in EARS))
    net.all_at_once()


@test
def a_chain_carries_speech_lists_and_commands():
    with Network(CHAIN) as net:
        print(f'# whole after {net.whole(LISTS_S):.1f} s')
        speech(net)
        for by, to in (('2001', '2002'), ('2001', '1999'), ('2002', '1997'), ('1997', '1999'), ('1998', '2002')):
            net.at[by].refuses(to)
        # Through a node, a scripted one and the hub: the link stays, for it is a permanent one.
        net.at['1997'].command('2002', '*12000#*8112000#')
        halves = ['1997', '2001', '1998', '2000'], ['2002', '1999']
        print(f'# apart after {net.know(halves, LISTS_S, "the halves to know themselves"):.1f} s')
        net.heard_once('1997', by=halves[0])
        net.at['2001'].command('2000', '*32002')
        print(f'# whole again after {net.whole(LISTS_S):.1f} s')
        net.heard_once('1999')


@test
def a_star_carries_speech_lists_and_commands():
    with Network(STAR) as net:
        print(f'# whole after {net.whole(LISTS_S):.1f} s')
        speech(net)
        for by, to in (('2001', '2002'), ('2001', '1999'), ('1997', '1999')):
            net.at[by].refuses(to)
        net.at['1997'].command(HUB, '*12002#')
        rest = [n for n in ALL if n != '2002']
        print(f'# without 2002 after {net.know([rest, ["2002"]], LISTS_S, "2002 to be gone"):.1f} s')
        net.heard_once('1999', by=rest)
        net.at['2002'].node.console('reload')
        print(f'# whole again after {net.whole(LISTS_S):.1f} s')
        net.heard_once('2002')


def heals(links, *numbers):
    """They die one after the other."""
    with Network(links) as net:
        net.whole(LISTS_S)
        for number in numbers:
            net.heals(number, HEAL_S)


@test
def a_chain_heals_when_its_middle_dies():
    heals(CHAIN, '1998')


@test
def a_chain_heals_when_an_end_dies():
    heals(CHAIN, '1997', '1999')


@test
def a_chain_heals_when_a_node_or_the_hub_dies():
    heals(CHAIN, '2001', '2000', '2002')


@test
def a_star_heals_whoever_dies():
    heals(STAR, *ALL)


if __name__ == '__main__':
    main(missing())
