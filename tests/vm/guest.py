# SPDX-License-Identifier: MIT
"""A virtual machine with Debian's own kernel, without KVM and without hardware.

QEMU's software emulation boots the stock kernel package, which is fetched with
apt-get and never installed, and runs a command as root in a root that is packed
into memory: the programs and files that are named, with the libraries they
need.  The guest's clock counts instructions, so a busy host makes a run longer,
never its audio late.

    guest.py [-M MODULE]... [-p FILE]... [-t SECONDS] [-i MODE] COMMAND...

MODE: virtual, whose idle time takes no time (sleep 600 is instant); paced,
which sleeps through it.  The command's output and exit status come out here;
what it writes to /guestio is in the folder that $GUEST_IO names.
"""

import argparse
import fcntl
import gzip
import lzma
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

USAGE = 'guest.py [-M MODULE]... [-p FILE]... [-t SECONDS] [-i MODE] COMMAND...'
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get('KEYHOLE_VM') or os.path.join(ROOT, 'build', 'vm')
# The guest's own: what its first process and most commands want.
TOOLS = ('bash sh cat cp mv rm ln ls mkdir sleep kill env mount umount modprobe '
         'kmod ip grep sed dmesg ps /bin/busybox /etc/passwd /etc/group '
         '/etc/nsswitch.conf /etc/ld.so.cache /etc/hosts '
         '/lib64/ld-linux-x86-64.so.2').split()
# Between the guest and us.
VIRTIO = 'virtio_pci 9pnet_virtio 9p virtio_console virtio_rng'.split()
DIED = 125


def missing():
    """What this machine lacks for a guest; an empty list: nothing."""
    needs = ('qemu-system-x86_64', 'cpio', 'modprobe', 'apt-get', 'busybox')
    return [p for p in needs if not shutil.which(p)] + ([] if os.geteuid() == 0 else ['root'])


def out(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


# --- the kernel ---------------------------------------------------------------

def unpack_kernel(image):
    """The ELF kernel within a bzImage.

    Booted bare, the guest need not unpack it under emulation.
    """
    with open(image, 'rb') as f:
        data = f.read()
    for at in (m.start() for m in re.finditer(b'\xfd7zXZ\0', data)):
        try:
            elf = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data[at:])
        except lzma.LZMAError:
            continue
        if elf[:4] == b'\x7fELF':
            return elf
    raise RuntimeError(image + ': no kernel in it')


class Kernel:
    """Debian's kernel and its modules, laid out in a folder."""

    def __init__(self, folder=CACHE):
        self.root = os.path.join(folder, 'kernel')
        self.image = os.path.join(folder, 'vmlinux')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'lock'), 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # suites that start together fetch it once
            if not os.path.exists(self.image):
                self.fetch(folder)
        self.version = os.listdir(self.root + '/lib/modules')[0]

    def fetch(self, folder):
        if not out('apt-cache', 'pkgnames', 'linux-image-amd64'):
            out('apt-get', '-qq', 'update')
        depends = out('apt-cache', 'depends', 'linux-image-amd64')
        package = re.search(r'Depends: (\S+)', depends).group(1)
        with tempfile.TemporaryDirectory(dir=folder) as tmp:
            subprocess.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root',
                            'download', package], cwd=tmp, check=True,
                           stdout=subprocess.DEVNULL)
            shutil.rmtree(self.root, ignore_errors=True)
            out('dpkg', '-x', os.path.join(tmp, os.listdir(tmp)[0]), self.root)
        version = os.listdir(self.root + '/lib/modules')[0]
        out('depmod', '-b', self.root, version)
        elf = unpack_kernel(f'{self.root}/boot/vmlinuz-{version}')
        with open(self.image + '.new', 'wb') as f:
            f.write(elf)
        os.rename(self.image + '.new', self.image)

    def modules(self, names):
        """The files of @names and what they depend on, as they are loaded."""
        files = []
        for name in names:
            shown = out('modprobe', '-d', self.root, '-S', self.version,
                        '--show-depends', name)
            for line in shown.splitlines():
                path = line.split()[1] if line.startswith('insmod') else None
                if path and path not in files:
                    files.append(path)
        return files


# --- the root in memory -------------------------------------------------------

def libraries(path):
    with open(path, 'rb') as f:
        if f.read(4) != b'\x7fELF':
            return []
    found = subprocess.run(['ldd', path], capture_output=True, text=True).stdout
    return re.findall(r'(/\S+)', found)


class Root:
    """Files of this machine that the guest is to have, at the same paths."""

    def __init__(self):
        self.paths = {}  # in order, no doubles

    def add(self, path):
        """One file, link or folder; the links on its way, its libraries."""
        folder, name = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), name)
        if path in self.paths:
            return
        if not os.path.lexists(path):
            raise FileNotFoundError(path)
        self.paths[path] = True
        if os.path.islink(path):
            self.add(os.path.join(os.path.dirname(path), os.readlink(path)))
        elif os.path.isdir(path):
            for name in os.listdir(path):
                if name not in ('__pycache__', 'test', 'dist-packages'):
                    self.add(os.path.join(path, name))
        else:
            for library in libraries(path):
                self.add(library)

    def add_program(self, name):
        path = name if '/' in name else shutil.which(name)
        if not path:
            raise FileNotFoundError(name)
        self.add(path)

    def copy_to(self, folder):
        for link in ('/bin', '/sbin', '/lib', '/lib64'):
            if os.path.islink(link):
                self.paths[link] = True
        names = '\0'.join(p.lstrip('/') for p in self.paths)
        # cpio makes the folders on the way.
        subprocess.run(['cpio', '-pdm0', '--quiet', folder], cwd='/',
                       input=names, text=True, check=True)


def pack(kernel, root, modules, to):
    """An initramfs of the first process, @root and @modules."""
    with tempfile.TemporaryDirectory() as tmp:
        closed = tmp + '/closed'
        os.makedirs(closed)
        root.copy_to(closed)
        for folder in ('proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/tmp',
                       'guestio'):
            os.makedirs(os.path.join(closed, folder), exist_ok=True)
        into = f'{closed}/usr/lib/modules/{kernel.version}'
        os.makedirs(into)
        source = f'{kernel.root}/lib/modules/{kernel.version}/'
        for name in os.listdir(source):
            if name.startswith('modules.'):
                shutil.copy(source + name, into)
        for path in kernel.modules(modules):
            at = os.path.join(into, path[len(source):])
            os.makedirs(os.path.dirname(at), exist_ok=True)
            shutil.copy(path, at)
        os.makedirs(tmp + '/bin')
        os.makedirs(tmp + '/mod')
        shutil.copy(shutil.which('busybox'), tmp + '/bin/busybox')
        order = kernel.modules(VIRTIO)
        for path in order:
            shutil.copy(path, tmp + '/mod')
        with open(tmp + '/mod/order', 'w') as f:
            f.writelines(os.path.basename(p) + '\n' for p in order)
        shutil.copy(os.path.join(HERE, 'init'), tmp + '/init')
        archive = subprocess.run('find . | cpio -o -H newc --quiet', shell=True,
                                 cwd=tmp, check=True, capture_output=True).stdout
    with gzip.open(to, 'wb', compresslevel=1) as f:
        f.write(archive)


# --- running ------------------------------------------------------------------

BOOT = """exec < /dev/null > /dev/hvc0 2>&1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root GUEST=1
ip link set lo up
umask 022
for m in {modules}; do modprobe $m || echo "guest: no module $m"; done
mkdir -p {cwd}
cd {cwd}
{command}
echo $? > /guestio/rc.new
mv /guestio/rc.new /guestio/rc
/bin/busybox poweroff -f
"""


def qemu(kernel, initrd, io, mode, memory_mib):
    sleep = 'off' if mode == 'virtual' else 'on'
    return ['qemu-system-x86_64', '-M', 'pc',
            '-icount', f'shift=1,align=off,sleep={sleep}',
            '-rtc', 'base=utc,clock=vm', '-accel', 'tcg,thread=single',
            '-smp', '1', '-cpu', 'qemu64', '-m', str(memory_mib),
            '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
            '-kernel', kernel.image, '-initrd', initrd,
            '-append', 'console=ttyS0 loglevel=3 panic=-1 mitigations=off nokaslr '
                       'no_timer_check random.trust_cpu=on',
            '-serial', f'file:{io}/console.log', '-device', 'virtio-serial-pci',
            '-chardev', 'stdio,id=out,signal=off',
            '-device', 'virtconsole,chardev=out', '-device', 'virtio-rng-pci',
            '-fsdev', f'local,id=i,path={io},security_model=none',
            '-device', 'virtio-9p-pci,fsdev=i,mount_tag=guestio']


def run(argv, modules=(), files=(), mode='virtual', timeout_s=300,
        memory_mib=1024, io=None, stdout=None):
    """Run @argv in a guest that has @modules loaded and @files beside.

    Its exit status; DIED: it has none.
    """
    kernel = Kernel()
    own = None if io else tempfile.TemporaryDirectory()
    io = os.path.abspath(io or own.name)
    os.makedirs(io, exist_ok=True)
    root = Root()
    for name in [*TOOLS, *files, argv[0]]:
        root.add_program(name)
    initrd = os.path.join(io, 'initrd')
    pack(kernel, root, modules, initrd)
    if os.path.exists(io + '/rc'):
        os.unlink(io + '/rc')
    with open(io + '/boot', 'w') as f:
        f.write(BOOT.format(modules=' '.join(modules),
                            cwd=shlex.quote(os.getcwd()),
                            command=shlex.join(argv)))
    try:
        subprocess.run(qemu(kernel, initrd, io, mode, memory_mib),
                       stdin=subprocess.DEVNULL, stdout=stdout,
                       timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        print(f'guest: not done within {timeout_s} s', file=sys.stderr)
    finally:
        os.unlink(initrd)
    try:
        with open(io + '/rc') as f:
            return int(f.read())
    except FileNotFoundError:
        print('guest: no result; the end of its console:', file=sys.stderr)
        with open(io + '/console.log', errors='replace') as f:
            print(f.read()[-3000:], file=sys.stderr)
        return DIED
    finally:
        if own:
            own.cleanup()


def main():
    p = argparse.ArgumentParser(usage=USAGE)
    p.add_argument('-M', action='append', default=[])
    p.add_argument('-p', action='append', default=[])
    p.add_argument('-t', type=float, default=300)
    p.add_argument('-i', default='virtual', choices=('virtual', 'paced'))
    p.add_argument('command', nargs=argparse.REMAINDER)
    a = p.parse_args()
    if missing():
        sys.exit('guest: missing: ' + ', '.join(missing()))
    sys.exit(run(a.command, a.M, a.p, a.i, a.t,
                 io=os.environ.get('GUEST_IO')))


if __name__ == '__main__':
    main()
