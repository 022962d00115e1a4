# SPDX-License-Identifier: MIT
"""The packages on a bare Debian with systemd and udev: installed, set up, called, rebooted, upgraded, purged.

The scenarios follow one another in one guest; each takes up where the one before left.
The registrar and a calling node are in a network namespace of the guest's.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))

import fobs
import guest
import system
from tap import equal, main, test, true, within

BUILD = os.path.abspath(os.environ.get('KEYHOLE_BUILD', os.path.join(guest.ROOT, 'build/dev')))
DEBS = os.environ.get('KEYHOLE_DEBS', os.path.join(os.path.dirname(BUILD), 'deb'))
EMULATOR = os.path.join(BUILD, 'tests/vm/cm108emu')
OLD = '~before'  # a version that is less than without
NODE, FAR = '198.51.100.1', '198.51.100.2'
DIALABLE_S = 30

# Of the test's own, from the first boot to the last.
FAR_UNIT = f"""[Unit]
Description=Where the others are
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/ip netns add far
ExecStart=/bin/ip link add eth0 type veth peer name eth0 netns far
ExecStart=/bin/ip addr add {NODE}/24 dev eth0
ExecStart=/bin/ip link set eth0 up
ExecStart=/bin/ip route add default via {FAR}
ExecStart=/bin/ip -n far addr add {FAR}/24 dev eth0
ExecStart=/bin/ip -n far link set eth0 up
ExecStart=/bin/ip -n far link set lo up
[Install]
WantedBy=multi-user.target
"""
FOB_UNIT = """[Unit]
Description=A USB radio interface, plugged in
[Service]
ExecStartPre=/sbin/modprobe vhci-hcd
ExecStart=/opt/cm108emu /run/fob log=/guestio/fob.log
[Install]
WantedBy=multi-user.target
"""
IN_FAR = """[Unit]
Requires=far.service
After=far.service
[Service]
NetworkNamespacePath=/run/netns/far
"""
CALLER_UNIT = IN_FAR + """Type=notify
ExecStart=/usr/sbin/keyholed -c /opt/caller/conf
[Install]
WantedBy=multi-user.target
"""
CALLER_CONF = """node = {{ number = "2000"; key_file = "/opt/caller/key"; callsign = "CALLER"; }};
iax2 = {{ port = 4580; bind6 = ""; }};
registrars = ( {{ host = "{far}"; key = "{key}"; }} );
radio = {{ type = "sim"; }};
map = {{ enabled = false; }};
telemetry = {{ announce = "off"; }};
control = {{ socket = "/run/caller.sock"; group = "root"; }};
"""
REGISTRAR = ('runuser -u keyhole-registrar -- keyhole-registrar '
             '-c /etc/keyhole/registrar.conf')
CALLER = 'keyhole -s /run/caller.sock'
# keyhole connect until it answers; how long that took by the guest's clock.
DIAL = f"""
begin=$(cut -d' ' -f1 /proc/uptime)
until {CALLER} connect 2001 --wait 5 2>/tmp/why; do
	now=$(cut -d. -f1 /proc/uptime)
	if ((now > ${{begin%.*}} + 120)); then
		cat /tmp/why
		exit 1
	fi
	sleep 0.5
done
echo "took $(cut -d' ' -f1 /proc/uptime) $begin"
"""

# The test's own drop-in, and what libraries' triggers write.
OURS_TO_LEAVE = ('/etc/systemd/system/keyhole-registrar.service.d', '/opt/caller', '/etc/ld.so.cache')
NAMES = ('keyhole', 'keyhole-registrar', 'keyhole-sounds')
# What has to be the same after an upgrade.
KEPT = 'sha256sum /etc/keyhole/* /var/lib/keyhole/node.key; stat -c "%n %U %G %a" /etc/keyhole/* /var/lib/keyhole/*.key'
# A link of the caller's, within 90 s of the guest's time.
WAIT_LINK = f"""for i in {{1..90}}; do
	{CALLER} --json status | grep -q '"state": *"up"' && exit 0
	sleep 1
done
{CALLER} status
exit 1
"""
IO = os.environ.get('GUEST_IO', '')


@contextlib.contextmanager
def inside():
    """The guest, of which the journal is shown when something fails."""
    agent = system.Agent(IO)
    try:
        yield agent
    except Exception:
        with contextlib.suppress(Exception):
            print(agent.run('journalctl -b --no-pager -n 80 -o short-monotonic', 120).text)
        raise
    finally:
        agent.close()


def packages(pattern):
    return [os.path.basename(p) for p in sorted(glob.glob(f'{IO}/{pattern}'))]


def install(agent, names):
    """As the manual says: apt install ./FILE...; what it said."""
    files = ' '.join('./' + n for n in names)
    return agent.must(f'export DEBIAN_FRONTEND=noninteractive\napt-get update -qq\napt install -y {files}')


def is_ours(path):
    return 'keyhole' in path and not path.startswith(OURS_TO_LEAVE)


def left_from(agent, bare):
    """What was not there when it was bare, and is no package's: those that ours depend on stay until autoremove."""
    new = sorted(state(agent) - bare)
    owned = agent.must('cat /var/lib/dpkg/info/*.list').splitlines()
    owned = set(owned) | {'/usr' + p for p in owned}
    return [p for p in new if p not in owned and not p.startswith(OURS_TO_LEAVE)]


def state(agent):
    """What a purge has to bring back: files (not those of logs and caches), users, groups, units."""
    return set(agent.must(
        'find / -xdev \\( -path /guestio -o -path /proc -o -path /sys -o -path /dev -o -path /tmp '
        '-o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg '
        '-o -path /run -o -path /root \\) -prune -o -print\n'
        'find /run /var/log /var/cache /tmp /var/tmp -xdev -name "*keyhole*"\n'
        'sed "s/:.*//; s/^/user /" /etc/passwd; sed "s/:.*//; s/^/group /" /etc/group\n'
        'systemctl list-units --all --plain --no-legend "*keyhole*" | sed "s/ .*//; s/^/unit /"\n'
        'systemctl list-unit-files --no-legend "*keyhole*" | sed "s/ .*//; s/^/unit file /"').splitlines())


def seconds_to_dial(agent):
    done = agent.must(DIAL)
    end, begin = map(float, re.search(r'took (\S+) (\S+)', done).groups())
    return end - begin


def wait_ptt(value, agent):
    """Until the fob's pin is so, for 5 s of the guest's time."""
    agent.must(f'for i in {{1..50}}; do grep " PTT " /guestio/fob.log | tail -n 1 | '
               f'grep -q " {value}$" && exit 0; sleep 0.1; done; cat /guestio/fob.log; exit 1')


def keyed_and_unkeyed(agent):
    """The caller talks, and the radio transmits that."""
    # A fob that udev had not come to yet is tried again some seconds later.
    agent.must('for i in {1..30}; do keyhole --json status | grep -q \'"state": *"running"\' && exit 0; sleep 1; done\n'
               'keyhole status; exit 1')
    agent.must(f'{CALLER} sim cor on')
    wait_ptt(1, agent)
    agent.must(f'{CALLER} sim cor off')
    wait_ptt(0, agent)


def set_up(agent, registrar):
    """By flags; the registrar's operator enters the node by the line that it prints."""
    run = agent.start(f'keyhole setup --yes --number 2001 --registrar {FAR} --registrar-key {registrar} '
                      '--radio cm108 --callsign N0DE')
    line = fobs.wait_for('the line for the registrar\'s operator',
                         lambda: re.search(r'node add 2001 \S+', agent.output(run)), 600, 0.1)
    agent.must(f'{REGISTRAR} {line.group(0)}')
    done = agent.wait(run)
    print('# ' + done.text.replace('\n', '\n# '))
    equal(0, done.code, 'exit status of keyhole setup')


def set_up_the_others(agent):
    """The registrar as its manual says, and the node that calls."""
    agent.must('install -d /etc/keyhole /opt/caller\n'
               f'echo \'iax2 = {{ bind4 = "{FAR}"; bind6 = ""; }};\' >/etc/keyhole/registrar.conf\n'
               'runuser -u keyhole-registrar -- keyhole keygen /var/lib/keyhole-registrar/registrar.key\n')
    agent.must('systemctl restart keyhole-registrar.service\nsystemctl is-active keyhole-registrar.service')
    key = agent.must(f'{REGISTRAR} key').strip()
    caller = agent.must('keyhole keygen /opt/caller/key').strip()
    agent.must(f'{REGISTRAR} node add 2000 {caller}\n'
               f"cat >/opt/caller/conf <<'END'\n{CALLER_CONF.format(far=FAR, key=key)}END\n"
               'systemctl enable --now caller.service')
    return key


@test
def a_bare_debian_takes_the_packages():
    with inside() as agent:
        agent.wait_up()
        agent.must("cp /guestio/cm108emu /opt/\n"
                   f"cat >/etc/systemd/system/far.service <<'END'\n{FAR_UNIT}END\n"
                   f"cat >/etc/systemd/system/fob.service <<'END'\n{FOB_UNIT}END\n"
                   f"cat >/etc/systemd/system/caller.service <<'END'\n{CALLER_UNIT}END\n"
                   'mkdir -p /etc/systemd/system/keyhole-registrar.service.d /opt/caller\n'
                   f"cat >/etc/systemd/system/keyhole-registrar.service.d/far.conf <<'END'\n{IN_FAR}END\n"
                   'systemctl daemon-reload\nsystemctl enable --now far.service fob.service\n'
                   'useradd -m -G users stranger; useradd -m -G users member')
        bare = state(agent)
        equal([], [p for p in bare if is_ours(p)], 'what is there of ours')
        with open(f'{IO}/bare', 'w') as f:
            f.write('\n'.join(sorted(bare)))
        install(agent, packages(f'*{OLD}_*.deb'))
        equal('', agent.must('systemctl --failed --no-legend').strip(), 'units that failed')
        agent.must('id keyhole && id keyhole-registrar')


@test
def setup_makes_a_node_that_is_dialable():
    with inside() as agent:
        registrar = set_up_the_others(agent)
        set_up(agent, registrar)
        within(0, seconds_to_dial(agent), DIALABLE_S, 's until the caller has a link')
        keyed_and_unkeyed(agent)
        equal('keyhole', agent.must('ps -o user= -C keyholed | sort -u | grep -v root').strip(), 'the user of the node')
        equal('keyhole 600', agent.must('stat -c "%U %a" /var/lib/keyhole/node.key').strip(), 'of the key')


@test
def who_may_dial():
    with inside() as agent:
        agent.must(f'{CALLER} disconnect --all; adduser --quiet member keyhole')
        done = agent.run('runuser -u stranger -- keyhole connect 2000 --wait 10')
        true(done.code != 0, 'a stranger cannot')
        print('# ' + done.text.strip())
        true('group keyhole' in done.text, f'the group is named: {done.text}')
        agent.must('runuser -u member -- keyhole connect 2000 --wait 20')
        agent.must('runuser -u member -- keyhole disconnect --all')


@test
def a_reboot_brings_it_back():
    with inside() as agent:
        agent.reboot()
        agent.must('systemctl is-system-running --wait || systemctl --failed')
        equal('', agent.must('systemctl --failed --no-legend').strip(), 'units that failed')
        within(0, seconds_to_dial(agent), DIALABLE_S, 's until the caller has a link')
        keyed_and_unkeyed(agent)


def drops():
    """How often a link that was up went down; a dial that fails is none."""
    with open(f'{IO}/events') as f:
        events = [(e['event'], e['t_us'] / 1e6) for e in map(json.loads, f) if e['event'] in ('link_up', 'link_down')]
    count, up = 0, True
    for event, when in events:
        print(f'# {event} at {when:.1f} s')
        count += up and event == 'link_down'
        up = event == 'link_up'
    return count


@test
def an_upgrade_drops_a_call_at_most_once():
    with inside() as agent:
        agent.must(f'{CALLER} disconnect --all; {CALLER} connect 2001 --permanent --wait 20')
        before = agent.must(KEPT)
        events = agent.start(f'timeout 600 {CALLER} events >/guestio/events')
        agent.must('until test -e /guestio/events; do sleep 0.1; done')
        install(agent, [n for n in packages('*.deb') if OLD not in n])
        true(OLD not in agent.must("dpkg-query -W -f='${Version}' keyhole"), 'it is the newer one')
        # Whether it was dropped or not: it is a link again, and carries speech.
        agent.must(WAIT_LINK)
        keyed_and_unkeyed(agent)
        agent.must(f'pkill -f "{CALLER} events"')
        agent.wait(events)
        within(0, drops(), 1, 'times that the link went down')
        equal(before, agent.must(KEPT), 'settings and key')
        equal('', agent.must('systemctl --failed --no-legend').strip(), 'units that failed')


@test
def a_purge_leaves_nothing():
    with inside() as agent:
        agent.must('systemctl disable --now caller.service')
        agent.must('export DEBIAN_FRONTEND=noninteractive\n'
                   "apt-get purge -y $(dpkg-query -W -f='${Package} ' 'keyhole*')")
        with open(f'{IO}/bare') as f:
            equal([], left_from(agent, set(f.read().splitlines())), 'what is left')
        equal('', agent.must('pgrep -l keyhole || true').strip(), 'processes that are left')


def prepare(io):
    """The packages, an older build of each, and a repository of what they depend on, into @io."""
    os.makedirs(f'{io}/repo')
    debs = []
    for name in NAMES:
        for path in newest(name):
            debs.append(shutil.copy(path, io))
            older(path, io)
    disk = system.Disk(guest.Kernel())
    system.fetch_needs(disk, debs, f'{io}/repo')
    system.index(f'{io}/repo')
    shutil.copy(EMULATOR, io)


def newest(name):
    """The package's file, if there is one: the last that was built."""
    found = glob.glob(f'{DEBS}/{name}_*_amd64.deb') + glob.glob(f'{DEBS}/{name}_*_all.deb')
    return sorted(found, key=os.path.getmtime)[-1:]


def older(path, to):
    """The same package as a version before."""
    with tempfile.TemporaryDirectory() as tmp:
        guest.out('dpkg-deb', '-R', path, f'{tmp}/r')
        version = guest.out('dpkg-deb', '-f', path, 'Version').strip()
        with open(f'{tmp}/r/DEBIAN/control') as f:
            text = f.read()
        with open(f'{tmp}/r/DEBIAN/control', 'w') as f:
            f.write(re.sub(rf'(?<![\w.]){re.escape(version)}(?![\w.])', version + OLD, text))
        guest.out('dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '-b', f'{tmp}/r',
                  f'{to}/{os.path.basename(path).replace(version, version + OLD)}')


def run():
    lacks = system.missing() + [f'{DEBS}/{n}_*.deb (./dev deb)' for n in NAMES[:2] if not newest(n)]
    if lacks:
        main('missing: ' + ', '.join(lacks))
    if '--list' in sys.argv:
        main()
    global IO
    sys.argv += ['--jobs', '1', '--timeout', '1200']
    with tempfile.TemporaryDirectory() as own:
        IO = IO or own
        prepare(IO)
        with system.System(IO):
            main()


if __name__ == '__main__':
    run()
