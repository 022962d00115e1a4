#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A guest with systemd: Debian's kernel, and a bare Debian 12 on a disk.

The root is made once, with debootstrap, and kept as a disk image beside the
kernel; a guest writes to a copy that ends with it.  It has no network but what
a test makes within: packages come from a repository in /guestio/repo, which is
the folder that guest and host share.  The host starts scripts in it, as root:

    with System(io) as guest:
        done = guest.run('apt-get install -y keyhole')
        guest.reboot()

The guest's clock counts the instructions it executes, and idle time passes as
the host's does: a time limit means the same on a host that is busy.

    system.py [-d FOLDER] COMMAND    boots, runs a shell command, shows its output
"""

import argparse
import fcntl
import glob
import gzip
import hashlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import guest

RELEASE = 'bookworm'
# What a small Debian server has: minbase and these.
PACKAGES = ('systemd-sysv', 'udev', 'dbus', 'iproute2', 'kmod', 'procps', 'ca-certificates')
# The disk and the share, before there is a root; what tests want of the kernel.
EARLY = ('virtio_blk', 'ext4', 'crc32c_generic')
MODULES = ('vhci-hcd', 'snd-usb-audio', 'usbhid', 'hid-generic', 'veth', 'autofs4',
           'dm_mod', 'configfs', 'fuse', 'loop', 'virtio_net', 'rtc_cmos', 'efi_pstore')
DISK_MIB = 2048
PATIENCE_S = 1500  # of the host: a busy one may take long, and a guest that hangs is to be ended
UNITS_OFF = ('apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer',
             'e2scrub_all.timer', 'e2scrub_reap.service', 'fstrim.timer')
AGENT_UNIT = """[Unit]
Description=What the host asks for
[Service]
ExecStart=/bin/bash /opt/agent
KillMode=process
[Install]
WantedBy=multi-user.target
"""


def missing():
    """What this machine lacks for such a guest; an empty list: nothing."""
    needs = ('debootstrap', 'mke2fs', 'dpkg-deb')
    return guest.missing() + [p for p in needs if not shutil.which(p)]


# --- the disk -----------------------------------------------------------------

def mirror():
    """Where this machine gets Debian from."""
    shown = guest.out('apt-get', 'indextargets', '--no-release-info', '--format', '$(REPO_URI)',
                      f'Release: {RELEASE}', 'Component: main')
    return shown.split()[0] if shown.strip() else 'http://deb.debian.org/debian'


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)


class Disk:
    """The image of a bare Debian, open, and what dpkg says is installed there.

    Whoever has another version of this file removes the image of ours at any time;
    what is open stays.
    """

    def __init__(self, kernel, folder=guest.CACHE):
        self.kernel = kernel
        with open(__file__, 'rb') as f, open(os.path.join(guest.HERE, 'agent'), 'rb') as agent:
            key = hashlib.sha256(f.read() + agent.read() + kernel.version.encode()).hexdigest()[:16]
        self.folder = os.path.join(folder, 'system')
        image, status = f'{self.folder}/{key}.img', f'{self.folder}/{key}.status'
        os.makedirs(self.folder, exist_ok=True)
        with open(f'{self.folder}/lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(image):
                self.make(image, status)
            self.image = open(image, 'rb')
            with open(status, encoding='utf-8') as f:
                self.status = f.read()

    def make(self, image, status):
        for old in glob.glob(f'{self.folder}/*.img*') + glob.glob(f'{self.folder}/*.status'):
            os.unlink(old)
        with tempfile.TemporaryDirectory(dir=self.folder) as root:
            os.chmod(root, 0o755)
            subprocess.run(['tar', '-C', root, '-xf', self.bare()], check=True)
            self.furnish(root)
            shutil.copy(f'{root}/var/lib/dpkg/status', status)
            guest.out('mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'nodiscard', '-d', root,
                      image + '.new', f'{DISK_MIB}M')
        os.rename(image + '.new', image)

    def bare(self):
        """The archive of what debootstrap made, which is most of the work."""
        key = hashlib.sha256(' '.join((RELEASE, *PACKAGES)).encode()).hexdigest()[:16]
        archive = f'{self.folder}/{key}.tar'
        if os.path.exists(archive):
            return archive
        print('# system: making a bare Debian', file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=self.folder) as root, \
                open(f'{self.folder}/debootstrap.log', 'w') as log:
            subprocess.run(['debootstrap', '--variant=minbase', f'--include={",".join(PACKAGES)}',
                            RELEASE, f'{root}/r', mirror()], check=True, stdout=log, stderr=log)
            shutil.rmtree(f'{root}/r/var/cache/apt/archives')
            subprocess.run(['tar', '-C', f'{root}/r', '-cf', archive + '.new', '.'], check=True)
        os.rename(archive + '.new', archive)
        return archive

    def furnish(self, root):
        """What makes a guest of it."""
        for path, text in (
                ('etc/hostname', 'bare\n'), ('etc/hosts', '127.0.0.1 localhost bare\n'),
                ('etc/fstab', ''), ('etc/machine-id', 'b08dfa6083e7567a1921a715000001fb\n'),
                ('etc/resolv.conf', ''), ('etc/systemd/system/agent.service', AGENT_UNIT),
                ('etc/apt/sources.list', 'deb [trusted=yes] file:/guestio/repo ./\n'),
                # Nobody's disk: dpkg need not wait for it.
                ('etc/dpkg/dpkg.cfg.d/guest', 'force-unsafe-io\n')):
            write(os.path.join(root, path), text)
        os.makedirs(f'{root}/guestio')
        shutil.copy(os.path.join(guest.HERE, 'agent'), f'{root}/opt/agent')
        guest.out('systemctl', f'--root={root}', 'enable', 'agent.service')
        guest.out('systemctl', f'--root={root}', 'mask', *UNITS_OFF)
        into = f'{root}/usr/lib/modules/{self.kernel.version}'
        source = f'{self.kernel.root}/lib/modules/{self.kernel.version}'
        for path in [f'{source}/modules.{n}' for n in ('order', 'builtin', 'builtin.modinfo')] + \
                self.kernel.modules(MODULES):
            to = into + path[len(source):]
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(path, to)
        guest.out('depmod', '-b', root, self.kernel.version)


# --- packages -----------------------------------------------------------------

def fetch_needs(disk, packages, to):
    """Into the folder @to: what apt would install with the files @packages on a bare disk."""
    kept = os.path.join(disk.folder, 'debs')
    os.makedirs(f'{kept}/partial', exist_ok=True)
    with open(f'{disk.folder}/lock', 'w') as lock, \
            tempfile.NamedTemporaryFile('w', encoding='utf-8') as status:
        status.write(disk.status)
        status.flush()
        argv = ['apt-get', '-qq', '-y', '-o', f'Dir::State::status={status.name}',
                '-o', 'APT::Sandbox::User=root', '-o', 'APT::Architectures=amd64',
                '-o', 'APT::Install-Recommends=true', '-o', 'Debug::NoLocking=1']
        fcntl.flock(lock, fcntl.LOCK_EX)
        guest.out(*argv, '-o', f'Dir::Cache::archives={kept}', '--download-only', 'install', *packages)
        # In an empty cache all are missing: 'URI' name size hash.
        shown = guest.out(*argv, '-o', f'Dir::Cache::archives={to}', '--print-uris', 'install', *packages)
        for name in (line.split()[1] for line in shown.splitlines() if line.startswith("'http")):
            # In a repository's index % would be the beginning of an octet.
            shutil.copy(os.path.join(kept, name), os.path.join(to, name.replace('%3a', '.')))


def index(folder):
    """Make @folder a repository."""
    entries = []
    for name in sorted(os.listdir(folder)):
        if name.endswith('.deb'):
            path = os.path.join(folder, name)
            with open(path, 'rb') as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            entries.append(guest.out('dpkg-deb', '-f', path) +
                           f'Filename: ./{name}\nSize: {os.path.getsize(path)}\nSHA256: {digest}\n')
    write(os.path.join(folder, 'Packages'), '\n'.join(entries))


# --- the guest ----------------------------------------------------------------

def pack(kernel, to):
    """The first process and the modules that bring the disk."""
    with tempfile.TemporaryDirectory() as tmp:
        for folder in ('bin', 'mod'):
            os.makedirs(f'{tmp}/{folder}')
        shutil.copy(shutil.which('busybox'), f'{tmp}/bin/busybox')
        order = kernel.modules((*guest.VIRTIO, *EARLY))
        for path in order:
            shutil.copy(path, f'{tmp}/mod')
        write(f'{tmp}/mod/order', ''.join(os.path.basename(p) + '\n' for p in order))
        shutil.copy(os.path.join(guest.HERE, 'init_system'), f'{tmp}/init')
        archive = subprocess.run('find . | cpio -o -H newc --quiet', shell=True, cwd=tmp, check=True,
                                 capture_output=True).stdout
    with gzip.open(to, 'wb', compresslevel=1) as f:
        f.write(archive)


def qemu(kernel, disk, io, memory_mib):
    return ['qemu-system-x86_64', '-M', 'pc', '-icount', 'shift=1,align=off,sleep=on',
            '-rtc', 'base=utc,clock=vm', '-accel', 'tcg,thread=single', '-smp', '1',
            '-cpu', 'qemu64', '-m', str(memory_mib), '-nodefaults', '-no-user-config',
            '-display', 'none', '-kernel', kernel.image, '-initrd', f'{io}/initrd',
            '-append', 'console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr no_timer_check '
                       'random.trust_cpu=on systemd.show_status=no systemd.getty_auto=no',
            '-serial', f'file:{io}/console.log', '-device', 'virtio-serial-pci',
            '-chardev', f'socket,id=agent,path={io}/agent,server=on,wait=off',
            '-device', 'virtserialport,chardev=agent,name=agent', '-device', 'virtio-rng-pci',
            '-drive', f'file=/proc/self/fd/{disk.image.fileno()},format=raw,if=virtio,snapshot=on,cache=unsafe',
            '-fsdev', f'local,id=i,path={io},security_model=none',
            '-device', 'virtio-9p-pci,fsdev=i,mount_tag=guestio']


class Done:
    """What became of a command."""

    def __init__(self, code, text):
        self.code, self.text = code, text


class Agent:
    """The host's end; processes of the host may have one each, after one another."""

    def __init__(self, io):
        self.io, self.count = io, itertools.count()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f'{io}/agent')
        self.ended, self.rest = {}, b''

    def close(self):
        self.socket.close()

    def line(self, end):
        """The next one, before @end by the host's clock."""
        while b'\n' not in self.rest:
            self.socket.settimeout(max(end - time.monotonic(), 0.01))
            got = self.socket.recv(4096)
            if not got:
                raise ConnectionError('the guest is gone')
            self.rest += got
        line, self.rest = self.rest.split(b'\n', 1)
        return line.decode().split()

    def wait_up(self, timeout_s=PATIENCE_S):
        end = time.monotonic() + timeout_s
        while self.line(end)[0] != 'up':
            pass

    def start(self, script):
        """Begin to run @script, a shell's text; a name for wait()."""
        name = f'{os.getpid()}-{next(self.count)}'
        write(f'{self.io}/{name}.sh', script)
        self.socket.sendall(name.encode() + b'\n')
        return name

    def output(self, name):
        """What it has said until now."""
        try:
            with open(f'{self.io}/{name}.out', errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def wait(self, name, timeout_s=PATIENCE_S):
        """How it ended."""
        end = time.monotonic() + timeout_s
        while name not in self.ended:
            done = self.line(end)
            self.ended[done[0]] = done[1]
        return Done(int(self.ended.pop(name)), self.output(name))

    def run(self, script, timeout_s=PATIENCE_S):
        return self.wait(self.start(script), timeout_s)

    def must(self, script, timeout_s=PATIENCE_S):
        """The output of what has to succeed."""
        done = self.run(script, timeout_s)
        if done.code:
            raise RuntimeError(f'{script}: exit status {done.code}\n{done.text}')
        return done.text

    def reboot(self, timeout_s=PATIENCE_S):
        self.start('systemctl reboot')
        self.wait_up(timeout_s)


class System:
    """A running guest, whose share with the host is the folder @io; a context manager."""

    def __init__(self, io, memory_mib=768):
        io = os.path.abspath(io)
        self.io, self.kernel = io, guest.Kernel()
        self.disk = Disk(self.kernel)
        os.makedirs(f'{io}/repo', exist_ok=True)
        pack(self.kernel, f'{io}/initrd')
        self.argv = qemu(self.kernel, self.disk, io, memory_mib)

    def __enter__(self):
        if not os.path.exists(f'{self.io}/repo/Packages'):
            index(f'{self.io}/repo')
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                        pass_fds=[self.disk.image.fileno()])
        while not os.path.exists(f'{self.io}/agent'):
            if self.process.poll() is not None:
                raise RuntimeError('qemu did not start')
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main():
    p = argparse.ArgumentParser(usage='system.py [-d FOLDER] COMMAND')
    p.add_argument('-d', default='')
    p.add_argument('command')
    a = p.parse_args()
    if missing():
        sys.exit('system: missing: ' + ', '.join(missing()))
    with tempfile.TemporaryDirectory() as own, System(a.d or own) as system:
        agent = Agent(system.io)
        start = time.monotonic()
        try:
            agent.wait_up(300)
        except TimeoutError:
            with open(f'{system.io}/console.log', errors='replace') as f:
                print(f.read()[-6000:])
            sys.exit('system: not up')
        print(f'# up after {time.monotonic() - start:.1f} s', file=sys.stderr)
        done = agent.run(a.command)
        print(done.text, end='')
        sys.exit(done.code)


if __name__ == '__main__':
    main()
