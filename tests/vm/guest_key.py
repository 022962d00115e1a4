# SPDX-License-Identifier: MIT
"""In the guest: a node keys its fob, hears its COR, and is unkeyed whatever becomes of it."""

import contextlib
import fcntl
import glob
import os
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

from fobs import Fob, wait_for
from keyed import Station
from stations import KEYHOLED
from tap import between, equal, main, test, true

UNKEYED_MS = 500
DEVICES = '/sys/bus/usb/devices'
PLUGDEV, AUDIO = 46, 29
DISCONNECT_CLAIM = 0x8108551b


def moment(fob, text, start):
    """When the first event of @fob from @start on was @text."""
    return wait_for(text, lambda: [t for t, _ in fob.events(text) if t >= start])[0]


def unkeyed_after(fob, act, most_ms=UNKEYED_MS):
    """@act() unkeys within @most_ms."""
    start = time.monotonic()
    act()
    ms = (moment(fob, 'PTT 0', start) - start) * 1000
    print(f'# unkeyed after {ms:.0f} ms')
    between(0, ms, most_ms, 'ms until it was unkeyed')


def attribute(device, name):
    try:
        with open(f'{DEVICES}/{device}/{name}', encoding='ascii') as f:
            return f.read().strip()
    except FileNotFoundError:
        return None


def ports():
    """The ports that C-Media's devices are plugged into, in the order of plugging."""
    found = [d for d in os.listdir(DEVICES) if attribute(d, 'idVendor') == '0d8c']
    return sorted(found, key=lambda d: int(attribute(d, 'devnum')))


def wait_unplugged():
    """The fobs of the test before are gone for the kernel, too."""
    wait_for('no fob', lambda: not ports())


def guardians():
    """Processes of that name."""
    found = []
    for path in glob.glob('/proc/[0-9]*/comm'):
        with contextlib.suppress(OSError), open(path, encoding='ascii') as f:
            if f.read().strip() == 'keyhole-guard':
                found.append(int(path.split('/')[2]))
    return found


@test
def ptt_follows_the_node():
    fob = Fob()
    with Station() as s:
        s.wait_ready()
        equal(0x04, int(fob.status()['out'].split(',')[2], 16) & 0x04, 'GPIO3 is an output')
        s.link()
        start = time.monotonic()
        s.talk()
        between(0, moment(fob, 'PTT 1', start) - start, 1, 's until it keyed')
        time.sleep(1)
        equal(1, fob.status()['ptt'], 'PTT while somebody talks')
        equal(True, s.radio()['ptt'], 'PTT as the node says')
        unkeyed_after(fob, lambda: s.talk(False), 1000)
        time.sleep(2)
        equal(2, len(fob.events('PTT')), 'edges of PTT')
        s.process['node'].terminate()
        equal(0, s.process['node'].wait(10), 'exit status')
        equal([], guardians(), 'guardians left')
    fob.close()


@test
def cor_is_heard_both_ways_round():
    fob = Fob(product='000c')  # which has GPIO2
    fob('cor', 1)  # before the node starts
    with Station() as s:
        s.wait_ready()
        s.wait_radio('cor', True)  # that was up already
        for up in (False, True, False):
            fob('cor', int(up))
            s.wait_radio('cor', up, 1)
    with Station(cor_sense='usb') as s:
        s.wait_radio('cor', True)
        fob('cor', 1)
        s.wait_radio('cor', False, 1)
    with Station(cor='gpio2', ptt_pin=4) as s:
        s.wait_ready()
        equal(False, s.radio()['cor'], 'COR')
        fob('gpi', 2, 1)
        s.wait_radio('cor', True, 1)
    fob.close()


@test
def an_inverted_ptt_is_warned_of():
    fob = Fob()
    with Station(ptt_inverted=True) as s:
        s.wait_ready()
        s.wait_said('may key by itself')
        equal(1, fob.status()['ptt'], 'its pin is high while unkeyed')
        s.link()
        start = time.monotonic()
        s.talk()
        moment(fob, 'PTT 0', start)
        start = time.monotonic()
        s.process['node'].kill()
        moment(fob, 'PTT 1', start)
    fob.close()


@test
def a_fob_is_pulled_while_transmitting_and_comes_back():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        for _ in range(2):
            fob('unplug')
            s.wait_said('was unplugged')
            s.wait_radio('state', 'down')
            true('unplugged' in s.radio()['fault'], 'the fault is shown')
            start = time.monotonic()
            fob('plug')
            between(0, moment(fob, 'PTT 1', start) - start, 3, 's until it was keyed again')
            safe = [t for t, _ in fob.events('OUT 00 00 0c') if t >= start]
            true(len([t for t in safe if t < moment(fob, 'PTT 1', start)]) >= 2, 'made safe twice')
            s.wait_ready()
            # The fault is over when sound has come, a moment after the card runs.
        wait_for('no fault any more', lambda: 'fault' not in s.radio())
        unkeyed_after(fob, lambda: s.talk(False), 1000)
    fob.close()


@test
def requests_that_fail_are_made_again():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        fob('stall', 4)
        unkeyed_after(fob, lambda: s.talk(False), 1000)
        fob('stall', 30)  # so many that it is opened anew
        s.talk()
        wait_for('PTT', lambda: fob.status()['ptt'] == 1)
        unkeyed_after(fob, lambda: s.talk(False), 1000)
    fob.close()


@test
def two_fobs_are_told_apart_by_serial_number():
    wait_unplugged()
    one, two = Fob('/run/one', serial='A1'), Fob('/run/two', serial='B2')
    wait_for('two fobs', lambda: len(ports()) == 2)
    with Station() as s:
        s.wait_said('several fobs are plugged in')
        equal('down', s.radio()['state'], 'state')
        one('unplug')
        s.wait_ready()
        one('plug')
    with Station(serial='B2') as s:
        s.key(two)
        equal(0, one.status()['ptt'], "the other's PTT")
        is_sibling(s.radio()['card'], next(p for p in ports() if attribute(p, 'serial') == 'B2'))
    with Station(serial='C3') as s:
        s.wait_said('no USB radio fob with the serial number C3 is plugged in')
        true('serial A1' in s.said() and 'serial B2' in s.said(), 'those that are there are named')
    for fob in (one, two):
        fob.close()


def is_sibling(card, port):
    """@card is of the device at @port, by ALSA's own account."""
    with open(f'/proc/asound/card{card.removeprefix("hw:")}/usbbus', encoding='ascii') as f:
        bus, device = map(int, f.read().split('/'))
    equal((int(attribute(port, 'busnum')), int(attribute(port, 'devnum'))), (bus, device),
          'the device that the card is on')


@test
def twins_are_told_apart_by_port():
    wait_unplugged()
    one = Fob('/run/one')
    first = wait_for('a fob', ports)[0]
    two = Fob('/run/two')
    second = wait_for('two fobs', lambda: ports()[1:])[0]
    for port, fob, other in ((first, one, two), (second, two, one)):
        with Station(port=port) as s:
            s.key(fob)
            equal(0, other.status()['ptt'], "the other's PTT")
            is_sibling(s.radio()['card'], port)
            unkeyed_after(fob, s.process['node'].terminate)
    for fob in (one, two):
        fob.close()


@test
def a_fob_that_another_program_holds():
    wait_unplugged()
    fob = Fob()
    port = wait_for('a fob', ports)[0]
    with open(usbfs(port), 'r+b', buffering=0) as f:
        wait_for('the HID interface', lambda: os.path.exists(f'{DEVICES}/{port}:1.3'))
        fcntl.ioctl(f, DISCONNECT_CLAIM, struct.pack('II256s', 3, 0, b''))
        with Station() as s:
            s.wait_said('another program holds the USB fob')
            equal('down', s.radio()['state'], 'state')
            equal(1, s.said().count('another program'), 'times that it is said')
            time.sleep(3)
            equal(1, s.said().count('another program'), 'times that it is said')
            f.close()
            s.wait_ready()
    fob.close()


@test
def an_unknown_chip_is_used_with_a_warning():
    fob = Fob(product='0777')
    with Station() as s:
        s.wait_ready()
        s.wait_said('0d8c:0777')
        true('is taken for a CM108, which it may not be' in s.said(), 'a warning')
    fob.close()


def usbfs(port):
    """The device's file."""
    bus, device = (int(attribute(port, name)) for name in ('busnum', 'devnum'))
    return f'/dev/bus/usb/{bus:03}/{device:03}'


def give(path, group):
    """As udev does."""
    os.chown(path, 0, group)
    os.chmod(path, 0o660)


@test
def a_user_without_rights_is_told_which_group_helps():
    wait_unplugged()
    fob = Fob()
    port = wait_for('a fob', ports)[0]
    with Station(groups=[PLUGDEV, AUDIO]) as s:
        s.wait_said('no permission for the USB fob at')
        true('group plugdev' in s.said(), 'the group is named')
        equal('down', s.radio()['state'], 'state')
        true('group plugdev' in s.radio()['fault'], 'the fault is shown')
        give(usbfs(port), PLUGDEV)
        s.wait_said('must be in the group audio')
        true('group audio' in s.radio()['fault'], 'the fault is shown')
        for path in glob.glob('/dev/snd/*'):
            give(path, AUDIO)
        s.wait_ready()
        wait_for('no fault any more', lambda: 'fault' not in s.radio())
        equal(1, s.said().count('no permission for the USB fob'), 'times that it was said')
        # Another one of whose rights udev takes care a moment after it came.
        fob('unplug')
        s.wait_radio('state', 'down')
        wait_unplugged()
        fob('plug')
        port = wait_for('a fob', ports)[0]
        time.sleep(0.5)
        give(usbfs(port), PLUGDEV)
        s.wait_said('is ready', 20)
        wait_for('it to be ready again', lambda: s.said().count('is ready') == 2)
        equal(1, s.said().count('no permission for the USB fob'), 'times that it was said')
    fob.close()


@test
def a_card_that_another_program_holds_is_shown():
    wait_unplugged()
    fob = Fob()
    wait_for('its card', lambda: glob.glob('/dev/snd/pcm*p'))
    with open(glob.glob('/dev/snd/pcm*p')[0], 'wb', buffering=0) as card:
        with Station() as s:
            s.wait_said('another program holds the sound card')
            s.wait_ready()  # to receive
            true('holds the sound card' in s.radio()['fault'], 'the fault is shown')
            s.link()
            s.talk()
            s.wait_radio('ptt', True)
            time.sleep(1)
            equal(0, fob.status()['ptt'], 'PTT without a card to play: no bare carrier')
            card.close()
            wait_for('PTT', lambda: fob.status()['ptt'] == 1)
            wait_for('no fault any more', lambda: 'fault' not in s.radio())
    fob.close()


@test
def without_a_fob_the_node_runs_on():
    wait_unplugged()
    with Station() as s:
        s.wait_said('no USB radio fob is plugged in')
        equal('down', s.radio()['state'], 'state')
        equal('no USB radio fob is plugged in', s.radio()['fault'], 'fault')
        s.link()
        equal(1, len(s.status()['links']), 'links without a radio')
        fob = Fob()
        s.wait_ready()
        s.talk()
        wait_for('PTT', lambda: fob.status()['ptt'] == 1)
    fob.close()


@test
def chips_of_other_makers():
    aioc = Fob(vendor='1209', product='7388')
    with Station() as s:
        s.wait_said('radio: AIOC at')
        s.key(aioc)
        aioc('cor', 1)
        s.wait_radio('cor', True, 1)
        true('may not be' not in s.said(), 'it is known')
    aioc.close()
    wait_for('no AIOC', lambda: '1209' not in [attribute(d, 'idVendor') for d in os.listdir(DEVICES)])
    other = Fob(vendor='0c76', product='1607', ptt=1)
    with Station() as s:
        s.wait_said('SSS1623')
        s.wait_said('has no GPIO3, which is to key: set fob.hwtype or fob.ptt_pin')
    with Station(ptt_pin=1, cor='gpio2', cor_sense='usbinvert') as s:
        s.key(other)
        other('gpi', 2, 1)
        s.wait_radio('cor', True, 1)
    other.close()


@test
def a_daemon_that_is_killed_leaves_nothing_keyed():
    fob = Fob()
    with Station() as s:
        for kill in (signal.SIGKILL, signal.SIGSEGV):
            s.key(fob)
            process = s.process['node']
            print(f'# {kill.name}')
            unkeyed_after(fob, lambda: process.send_signal(kill))
            process.wait(10)
            s.talk(False)
            s.unlink()
            wait_for('the guardian to end', lambda: not guardians())
            time.sleep(1)
            equal(0, fob.status()['ptt'], 'PTT a second later')
            s.start()
    fob.close()


@test
def a_daemon_that_is_stuck_leaves_nothing_keyed():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        process = s.process['node']
        unkeyed_after(fob, lambda: process.send_signal(signal.SIGSTOP))
        s.wait_said('stuck with its transmitter keyed: unkeyed')
        start = time.monotonic()
        process.send_signal(signal.SIGCONT)
        between(0, moment(fob, 'PTT 1', start) - start, 1, 's until it keyed again')
        unkeyed_after(fob, lambda: s.talk(False), 1000)
    fob.close()


@test
def a_guardian_that_dies_is_followed_by_another():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        first = guardians()
        start = time.monotonic()
        unkeyed_after(fob, lambda: [os.kill(pid, signal.SIGKILL) for pid in first], 200)
        s.wait_said('the guardian process is gone: nothing is keyed until another is there')
        between(0, moment(fob, 'PTT 1', start) - start, 1, 's until it is guarded and keyed again')
        s.wait_said('the guardian process is there again')
        wait_for('no fault any more', lambda: 'fault' not in s.radio())
        equal(1, len(guardians()), 'guardians')
        true(guardians() != first, 'another one')
        unkeyed_after(fob, s.process['node'].kill)
        s.process['node'].wait()
        wait_for('the guardian to end', lambda: not guardians())
    fob.close()


@test
def the_stop_hook_unkeys_without_a_guardian():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        # A guardian that can do nothing, then both gone.
        for pid in guardians():
            os.kill(pid, signal.SIGSTOP)
        s.process['node'].kill()
        s.process['node'].wait()
        for pid in guardians():
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        equal(1, fob.status()['ptt'], 'PTT of a dead daemon without a guardian')

        def hook():
            equal(0, subprocess.run([KEYHOLED, '--unkey', '-c', s.conf()], check=False).returncode,
                  'exit status of the hook')
        unkeyed_after(fob, hook)
    fob('unplug')
    equal(0, subprocess.run([KEYHOLED, '--unkey', '-c', s.conf()], check=False).returncode,
          'exit status without a fob')
    fob.close()


@test
def a_fob_that_does_not_answer_holds_nothing_up():
    fob = Fob()
    with Station() as s:
        s.key(fob)
        before = s.radio()['missed_beats']
        fob('wedge', 1)
        s.wait_said('no longer answers')
        # It is opened again and again, in vain.
        longest = 0
        end = time.monotonic() + 6
        while time.monotonic() < end:
            asked = time.monotonic()
            radio = s.radio()
            longest = max(longest, time.monotonic() - asked)
        print(f'# longest answer {longest * 1000:.0f} ms, {radio}')
        equal(before, radio['missed_beats'], 'beats of the loop that were missed')
        equal('down', radio['state'], 'state')
        s.talk(False)
        start = time.monotonic()
        fob('wedge', 0)
        between(0, moment(fob, 'PTT 0', start) - start, 3, 's until it is unkeyed when it answers again')
        s.wait_ready()
        # The end of what was said may be transmitted yet, and no more.
        wait_for('PTT off', lambda: not fob.status()['ptt'], 3)
        time.sleep(1)
        equal(0, fob.status()['ptt'], 'PTT')
    fob.close()


if __name__ == '__main__':
    main([])
