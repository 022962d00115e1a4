# SPDX-License-Identifier: MIT
"""What holds of built packages: packages.py FOLDER [ARCH]

Prints TAP.  FOLDER has what `./dev deb` made.
"""

import functools
import glob
import os
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

from house import Tap

EXPOSURE_MAX = 20  # tenths, as systemd-analyze counts
SIZE_MAX = 1_000_000
# What packages bring along that Debian does not have anyway, KiB installed.
NEW_MAX = {'keyhole': 8_000, 'keyhole-registrar': 2_000}
MACHINE = {'amd64': 'X86-64', 'arm64': 'AArch64', 'armhf': 'ARM'}
KEY_NAMES = re.compile(r'\.(key|pem|secret|password)$')
# An Ed25519 seed as keyhole keygen writes it, alone in a file; others' keys.
KEY_TEXT = re.compile(rb'\A\s*[A-Za-z0-9_+/-]{43}=?\s*\Z|-----BEGIN [A-Z ]*PRIVATE KEY')

# All of a package's paths match one of these, and each of these matches a path.
WITHIN = {
    'keyhole': r'''etc/keyhole/$
        lib/systemd/system/keyholed\.service$
        lib/udev/rules\.d/70-keyhole\.rules$
        usr/bin/keyhole$ usr/sbin/keyholed$
        usr/lib/sysusers\.d/keyhole\.conf$ usr/lib/tmpfiles\.d/keyhole\.conf$
        usr/share/bash-completion/completions/keyhole$
        usr/share/bash-completion/completions/keyholed$
        usr/share/doc/keyhole/ usr/share/man/man[1578]/keyhole
        usr/share/metainfo/keyhole\.metainfo\.xml$''',
    'keyhole-registrar': r'''etc/keyhole/$
        lib/systemd/system/keyhole-registrar\.service$
        usr/sbin/keyhole-registrar$
        usr/lib/sysusers\.d/keyhole-registrar\.conf$
        usr/lib/tmpfiles\.d/keyhole-registrar\.conf$
        usr/share/bash-completion/completions/keyhole-registrar$
        usr/share/doc/keyhole-registrar/
        usr/share/man/man8/keyhole-registrar\.8 usr/share/man/man5/registrar\.conf\.5''',
    'keyhole-sounds': r'''usr/share/keyhole/sounds/[0-9a-z-]+\.wav$
        usr/share/doc/keyhole-sounds/''',
}
PAGES = {
    'keyhole': ['keyhole.1', 'keyhole-events.7', 'keyholed.8', 'keyholed.conf.5', 'keyhole-extnodes.5',
                'keyhole-sounds.5'],
    'keyhole-registrar': ['keyhole-registrar.8', 'registrar.conf.5'],
}


class Package(NamedTuple):
    name: str
    deb: str
    root: str  # its files
    control: str  # the folder of its scripts
    rows: list  # of tar's list: (mode, owner, path from the root)


def output(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kw).stdout


def unpack(deb, to):
    name = os.path.basename(deb).split('_')[0]
    root, control = os.path.join(to, name, 'root'), os.path.join(to, name, 'control')
    os.makedirs(root)
    output('dpkg-deb', '-x', deb, root)
    output('dpkg-deb', '-e', deb, control)
    rows = []
    for row in output('dpkg-deb', '-c', deb).splitlines():
        mode, owner, _, _, _, path = row.split(None, 5)
        rows.append((mode, owner, path.split(' -> ')[0].removeprefix('./')))
    return Package(name, deb, root, control, rows)


def files(p):
    return [os.path.join(at, f) for at, _, names in os.walk(p.root) for f in names]


# Each: what is wrong with a package, a line each.

def is_small(p):
    size = os.path.getsize(p.deb)
    return [f'{size} octets, {SIZE_MAX} allowed'] if size > SIZE_MAX else []


def has_its_files_and_no_others(p):
    patterns = WITHIN[p.name].split()
    within = re.compile('|'.join(patterns))
    wrong = [f'no {pattern}' for pattern in patterns
             if not any(re.match(pattern, path) for _, _, path in p.rows)]
    wrong += [path for mode, _, path in p.rows
             if not within.match(path) and not (mode[0] == 'd' and path != 'etc/keyhole/'
                                                and not path.startswith('var'))]
    wrong += [f'{path}: {mode} {owner}' for mode, owner, path in p.rows
              if owner != 'root/root' or re.search('[sStT]', mode[1:])
              or (mode[0] != 'l' and mode[8] == 'w')]
    return wrong


def has_no_keys(p):
    wrong = [path for _, _, path in p.rows if KEY_NAMES.search(path)]
    for path in files(p):
        if not os.path.islink(path):
            with open(path, 'rb') as f:
                wrong += [path] * bool(KEY_TEXT.search(f.read()))
    return wrong


def asks_nothing_on_upgrade(p):
    return [f'{f} is in it' for f in ('conffiles', 'config', 'templates')
            if os.path.exists(os.path.join(p.control, f))]


def has_a_page_each(p):
    have = {os.path.basename(path).removesuffix('.gz') for path in files(p) if '/man/' in path}
    wrong = [f'no {page}' for page in PAGES[p.name] if page not in have]
    for path in (path for path in files(p) if '/man/' in path):
        said = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, MANWIDTH='80'))
        wrong += [f'{path}: no page'] * ('\ntNAME\n' not in said.stdout)
        # A long word is not a mistake.
        wrong += [row for row in said.stderr.splitlines() if 'cannot adjust' not in row]
    return wrong


def programs(p):
    return [f for f in files(p) if re.search(r'/(s?bin)/[^/]+$', f)]


def hardened(arch, p):
    wrong = ['no program'] * (not programs(p))
    for path in programs(p):
        text = output('readelf', '-W', '-h', '-l', '-d', path)
        for what, pattern in {f'not for {arch}': f'Machine: .*{MACHINE[arch]}',
                              'no PIE': r'Type: +DYN', 'no RELRO': 'GNU_RELRO',
                              'no BIND_NOW': r'FLAGS.*(BIND_)?NOW',
                              'executable stack': r'GNU_STACK.* RW +0x'}.items():
            if not re.search(pattern, text):
                wrong.append(f'{os.path.basename(path)}: {what}')
    return wrong


def units(p):
    return glob.glob(os.path.join(p.root, 'lib/systemd/system/*.service'))


def services_are_confined(p):
    wrong = []
    for unit in units(p):
        said = subprocess.run(['systemd-analyze', 'security', '--no-pager', '--offline=true',
                               f'--threshold={EXPOSURE_MAX}', unit],
                              capture_output=True, text=True, check=False)
        last = said.stdout.strip().splitlines()[-1] if said.stdout else said.stderr.strip()
        print(f'# {last}')
        wrong += [last] * bool(said.returncode)
    return wrong + ['no service'] * (not units(p))


def services_wait_for_a_configuration(p):
    wrong = []
    for unit in units(p):
        with open(unit, encoding='utf-8') as f:
            text = f.read()
        wrong += [f'{os.path.basename(unit)}: no {line}' for line in
                  ('Type=notify', 'WatchdogSec=', 'ConditionPathExists=/etc/keyhole/',
                   'WantedBy=multi-user.target', 'Restart=on-failure') if '\n' + line not in text]
    return wrong + ['no service'] * (not units(p))


def scripts_parse(p):
    wrong = [f'no {name}' for name in ('postinst', 'postrm')
             if not os.path.exists(os.path.join(p.control, name))]
    scripts = [(f, 'sh') for name in ('preinst', 'postinst', 'prerm', 'postrm')
               for f in glob.glob(os.path.join(p.control, name))]
    scripts += [(f, 'bash') for f in files(p) if '/completions/' in f]
    for f, shell in scripts:
        said = subprocess.run([shell, '-n', f], capture_output=True, text=True, check=False)
        if said.returncode or said.stderr:
            wrong.append(f'{os.path.basename(f)}: {said.stderr}')
    return wrong


def words(p, line):
    """What bash offers at the end of LINE."""
    program = line.split()[0]
    script = f'''. {p.root}/usr/share/bash-completion/completions/{program}
        compopt() {{ :; }}
        COMP_WORDS=({line} {"''" if line.endswith(' ') else ''}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _{program.replace('-', '_')}
        printf '%s\\n' "${{COMPREPLY[@]}}"'''
    env = dict(os.environ, PATH=f'{p.root}/usr/bin:{p.root}/usr/sbin:' + os.environ['PATH'])
    return output('bash', '-c', script, env=env).split()


def completes(p):
    if p.name == 'keyhole':
        want = {'keyhole conn': ['connect'], 'keyhole sim c': ['cor'],
                'keyhole -s x.sock disconnect --': ['--all'],
                'keyholed --dump': ['--dump-config'], 'keyhole connect 2000 --w': ['--wait']}
    else:
        want = {'keyhole-registrar -c x.conf no': ['node'],
                'keyhole-registrar -c x.conf node ': ['add', 'remove', 'list'],
                'keyhole-registrar -c x.conf node add 1 --m': ['--md5-secret']}
    return [f'{line}: {got}' for line, words_ in want.items()
            if (got := words(p, line)) != words_]


@functools.cache
def closure(names):
    """With all that they depend on, the first choice where there is one."""
    text = output('apt-cache', 'depends', '--recurse', '--no-recommends', '--no-suggests',
                  '--no-conflicts', '--no-breaks', '--no-replaces', '--no-enhances',
                  '--important', *names)
    return {row for row in text.splitlines() if re.match(r'[a-z0-9]', row)}


@functools.cache
def debian():
    """What a Debian has whose user chose nothing, which Raspberry Pi OS Lite is not
    less than."""
    text = output('apt-cache', 'dumpavail')
    names = re.findall(r'^Package: (\S+)\n(?:.+\n)*?Priority: (?:required|important|standard)$',
                       text, re.M)
    return closure(tuple(sorted(set(names)))) | {'systemd', 'udev'}


def lists():
    """Whether this machine knows Debian's packages."""
    return subprocess.run(['apt-cache', 'show', 'libspandsp2'], capture_output=True,
                          check=False).returncode == 0


def brings_little(p):
    depends = output('dpkg-deb', '-f', p.deb, 'Depends')
    names = tuple(re.match(r'\S+', choice.strip())[0] for choice in depends.split(','))
    new = sorted(closure(names) - debian())
    sizes, wrong = {}, []
    for name in new:
        shown = subprocess.run(['apt-cache', 'show', '--no-all-versions', name],
                               capture_output=True, text=True, check=False).stdout
        size = re.search(r'^Installed-Size: (\d+)', shown, re.M)
        sizes[name] = int(size[1]) if size else 0
        wrong += [f'{name}: how large?'] * (not size)
    total = sum(sizes.values())
    print(f'# {p.name} brings {total} KiB:',
          ', '.join(f'{name} {size}' for name, size in sizes.items()))
    if total > NEW_MAX[p.name]:
        wrong.append(f'{total} KiB, {NEW_MAX[p.name]} allowed')
    return wrong


def lintian(debs):
    said = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error,warning', *debs],
                          capture_output=True, text=True, check=False)
    if not said.returncode:
        return []
    return [f'exit status {said.returncode}', *said.stdout.splitlines(), *said.stderr.splitlines()]


def main(folder, arch=None):
    native = output('dpkg', '--print-architecture').strip()
    arch = arch or native
    debs = sorted(glob.glob(os.path.join(folder, f'keyhole*_{arch}.deb')))
    debs = [d for d in debs if '-dbgsym_' not in d]
    if arch == native:
        debs += sorted(glob.glob(os.path.join(folder, 'keyhole*_all.deb')))
    tap = Tap()
    with tempfile.TemporaryDirectory() as to:
        packages = [unpack(d, to) for d in debs]
        wanted = {'keyhole', 'keyhole-registrar'} | ({'keyhole-sounds'} if arch == native
                                                     else set())
        names = sorted(p.name for p in packages)
        tap.line(names == sorted(wanted), f'{arch}: the packages are there', names)
        rules = [is_small, has_its_files_and_no_others, has_no_keys, asks_nothing_on_upgrade]
        of_programs = [has_a_page_each, functools.partial(hardened, arch), services_are_confined,
                       services_wait_for_a_configuration, scripts_parse]
        of_programs += [completes] if arch == native else []
        if lists():
            of_programs.append(brings_little)
        else:
            print("# this machine has no lists of Debian's packages: what ours bring is not looked at")
        for p in packages:
            print(f'# {os.path.basename(p.deb)}: {os.path.getsize(p.deb)} octets')
            for rule in rules + (of_programs if p.name in PAGES else []):
                what = getattr(rule, 'func', rule).__name__.replace('_', ' ')
                wrong = rule(p)
                tap.line(not wrong, f'{p.name} {arch}: {what}', wrong)
        wrong = lintian(debs)
        tap.line(not wrong, f'{arch}: lintian finds nothing', wrong)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
