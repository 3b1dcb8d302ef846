"""The same file operations on any directory; prints what each gave, as JSON lines.

Usage: posix-steps.py DIRECTORY SEED COUNT
First a fixed list of what programs rely on, then COUNT random steps over a small tree.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import random
import stat
import sys
import time

os.umask(0o022)
HERE = sys.argv[1]
os.chdir(HERE)


def say(name, run):
    try:
        value = run()
        print(json.dumps([name, "ok", value], default=repr))
    except OSError as error:
        print(json.dumps([name, errno.errorcode.get(error.errno, error.errno)]))


def meta(path):
    got = os.lstat(path)
    kind = stat.S_IFMT(got.st_mode)
    size = got.st_size if kind != stat.S_IFDIR else None
    nlink = got.st_nlink if kind != stat.S_IFDIR else None
    return [oct(got.st_mode), got.st_uid, got.st_gid, nlink, size]


def write(path, data, flags=0, at=None):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    try:
        return os.write(fd, data) if at is None else os.pwrite(fd, data, at)
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("latin1")


def mapped():
    """A shared writable map that outlives its descriptor, over truncation and rename."""
    fd = os.open("map", os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(fd, 16384)
    pages = mmap.mmap(fd, 16384)
    os.close(fd)
    pages[0:5] = b"hello"
    pages[8192:8196] = b"page"
    os.rename("map", "map2")
    pages.flush()
    os.truncate("map2", 12288)
    os.truncate("map2", 20000)
    pages[4096:4100] = b"late"
    pages.flush()
    pages.close()
    data = read("map2")
    return [len(data), data[0:5], data[4096:4100], data[8192:8196], data[12288:].strip("\0")]


def nameless():
    """An unlinked open file lives; a removed working directory can be looked at."""
    fd = os.open("gone", os.O_RDWR | os.O_CREAT, 0o644)
    os.write(fd, b"still")
    os.unlink("gone")
    os.pwrite(fd, b"S", 0)
    os.fchmod(fd, 0o600)
    os.ftruncate(fd, 4)
    got = [os.pread(fd, 10, 0).decode(), os.fstat(fd).st_nlink, os.fstat(fd).st_size]
    path = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.close(fd)
    os.mkdir("cwd")
    os.chdir("cwd")
    os.rmdir("../cwd")
    got.append(os.stat(".").st_nlink)
    os.fchdir(path)
    os.close(path)
    return got


def open_path():
    """A file reached only by O_PATH after its name is gone."""
    write("opath", b"x")
    fd = os.open("opath", os.O_PATH)
    os.unlink("opath")
    got = os.fstat(fd).st_size
    os.close(fd)
    return got


def temporary():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(fd, b"temporary")
    done = ctypes.CDLL(None).linkat(-100, f"/proc/self/fd/{fd}".encode(), -100, b"linked", 0x400)
    assert done == 0
    os.close(fd)
    return [read("linked"), meta("linked")]


def locks():
    first = os.open("lock", os.O_RDWR | os.O_CREAT)
    second = os.open("lock", os.O_RDWR)
    fcntl.flock(first, fcntl.LOCK_EX)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "both"
    except BlockingIOError:
        child = os.fork()
        if child == 0:
            fcntl.lockf(second, fcntl.LOCK_EX)
            os._exit(0)
        os.waitpid(child, 0)
        return "one"
    finally:
        os.close(first)
        os.close(second)


def holes():
    fd = os.open("hole", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 1 << 20)
    os.pwrite(fd, b"x" * 4096, 1 << 19)
    got = [os.lseek(fd, 0, os.SEEK_DATA), os.lseek(fd, 1 << 19, os.SEEK_HOLE)]
    os.posix_fallocate(fd, 0, 2 << 20)
    got.append(os.fstat(fd).st_size)
    os.fsync(fd)
    os.close(fd)
    return got


def copies():
    write("from", os.urandom(0) + b"copy me " * 4096)
    source = os.open("from", os.O_RDONLY)
    target = os.open("to", os.O_RDWR | os.O_CREAT)
    got = [os.copy_file_range(source, target, 32768, 0, 0)]
    other = os.open("sent", os.O_RDWR | os.O_CREAT)
    got.append(os.sendfile(other, source, 0, 32768))
    for fd in (source, target, other):
        os.close(fd)
    return got + [read("from") == read("to"), read("from") == read("sent")]


def attributes():
    write("xa", b"")
    os.setxattr("xa", "user.k", b"v" * 300)
    got = [os.getxattr("xa", "user.k").decode(), os.listxattr("xa")]
    os.removexattr("xa", "user.k")
    before = os.stat("xa").st_ctime_ns
    # Longer than the tick that the kernel's times are kept by.
    time.sleep(0.02)
    os.chown("xa", -1, -1)
    return got + [os.listxattr("xa"), os.stat("xa").st_ctime_ns > before]


def as_other():
    """Ownership, set-group-id directories and privileges as somebody else with groups."""
    os.mkdir("theirs", 0o777)
    os.chmod("theirs", 0o2777)
    os.chown("theirs", 0, 3000)
    write("suid", b"x")
    os.chmod("suid", 0o6777)
    child = os.fork()
    if child == 0:
        status = 0
        try:
            os.setgroups([3000, 3001])
            os.setgid(2000)
            os.setuid(1000)
            write("theirs/f", b"f")
            os.chmod("theirs/f", 0o2755)
            os.mkdir("theirs/d")
            os.symlink("f", "theirs/l")
            os.mkfifo("theirs/p")
            os.link("theirs/f", "theirs/h")
            os.chown("theirs/f", -1, 3001)
            write("suid", b"y")
        except OSError as error:
            status = error.errno
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    names = ["theirs/f", "theirs/d", "theirs/l", "theirs/p", "theirs/h", "suid"]
    return [status] + [meta(name) for name in names if os.path.lexists(name)]


def names():
    os.mkdir("names")
    raw = [b"n" * 255, b"\xff\xfe not utf-8", "umlaut-ä".encode(), b"new\nline", b" ", b"%41"]
    for name in raw:
        write(b"names/" + name, name)
    got = sorted(os.listdir(b"names"))
    too_long = b"names/" + b"n" * 256
    try:
        write(too_long, b"")
    except OSError as error:
        return [got == sorted(raw), error.errno]
    return "no error"


def times():
    write("time", b"")
    os.utime("time", ns=(1_000_000_001, -5_000_000_002))
    got = os.stat("time")
    os.symlink("nowhere", "dangling")
    os.utime("dangling", ns=(7, 9), follow_symlinks=False)
    link = os.lstat("dangling")
    return [got.st_atime_ns, got.st_mtime_ns, link.st_mtime_ns, os.readlink("dangling")]


def deep():
    start = os.open(".", os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100)
        os.chdir("d" * 100)
    write("leaf", b"deep")
    got = read("leaf")
    os.unlink("leaf")
    os.fchdir(start)
    os.close(start)
    return got


def large():
    fd = os.open("3g", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"end", 3 << 30)
    got = [os.fstat(fd).st_size, os.pread(fd, 10, 3 << 30).decode(), os.pread(fd, 4, 5).decode()]
    os.close(fd)
    os.unlink("3g")
    return got


def exchange():
    libc = ctypes.CDLL(None, use_errno=True)
    write("ex1", b"1")
    write("ex2", b"2")
    done = libc.renameat2(-100, b"ex1", -100, b"ex2", 2)
    refused = libc.renameat2(-100, b"ex1", -100, b"ex2", 1)
    return [done, read("ex1"), read("ex2"), refused, ctypes.get_errno()]


def many():
    os.mkdir("many")
    for index in range(3000):
        write(f"many/{index}", b"")
    seen = sorted(os.listdir("many"), key=int)
    with os.scandir("many") as entries:
        kinds = {entry.is_file() for entry in entries}
    for index in range(0, 3000, 2):
        os.unlink(f"many/{index}")
    return [len(seen), len(set(seen)), sorted(kinds), len(os.listdir("many"))]


def over():
    """Rename over an open file; hard links in both orders."""
    write("o1", b"one")
    write("o2", b"two")
    fd = os.open("o2", os.O_RDONLY)
    os.rename("o1", "o2")
    got = [os.read(fd, 9).decode(), read("o2")]
    os.close(fd)
    os.link("o2", "o3")
    os.unlink("o2")
    got.append(read("o3"))
    os.link("o3", "o4")
    os.rename("o3", "o4")
    got.append(sorted(name for name in os.listdir(".") if name.startswith("o")))
    os.unlink("o3")
    got.append(read("o4"))
    return got


def random_steps(seed, count):
    chance = random.Random(seed)
    places = ["", "a/", "b/", "a/c/"]
    files = [f"f{index}" for index in range(6)]
    held = {}
    for step in range(count):
        path = chance.choice(places) + chance.choice(files)
        other = chance.choice(places) + chance.choice(files)
        at, size = chance.randrange(40_000), chance.randrange(9000)
        data = bytes([chance.randrange(256)]) * size
        directory = chance.choice(["a", "b", "a/c", "b/a"])
        steps = {
            "write": lambda: write(path, data, 0, at),
            "append": lambda: write(path, data, os.O_APPEND),
            "trunc": lambda: os.truncate(path, at),
            "rewrite": lambda: write(path, data, os.O_TRUNC),
            "read": lambda: [len(read(path)), read(path)[:20]],
            "sum": lambda: sum(read(path).encode("latin1")),
            "rename": lambda: os.rename(path, other),
            "unlink": lambda: os.unlink(path),
            "link": lambda: os.link(path, other),
            "symlink": lambda: os.symlink(chance.choice(files), other),
            "mkdir": lambda: os.mkdir(directory),
            "rmdir": lambda: os.rmdir(directory),
            "movedir": lambda: os.rename(directory, chance.choice(["a", "b", "b/a", "a/c"])),
            "list": lambda: sorted(os.listdir(chance.choice([".", "a", "b", "a/c"]))),
            "meta": lambda: meta(path),
            "chmod": lambda: os.chmod(path, chance.choice([0o600, 0o644, 0o4755])),
            "hold": lambda: held.setdefault(path, os.open(path, os.O_RDWR)) and None,
            "held": lambda: [os.pwrite(fd, data, at) and os.fstat(fd).st_size for fd in held.values()],
            "drop": lambda: [os.close(held.pop(key)) for key in list(held)] and None,
            "fsync": lambda: [os.fsync(fd) for fd in held.values()] and None,
        }
        name = chance.choice(list(steps))
        say(f"{step} {name} {path} {other}", steps[name])


if len(sys.argv) > 3 and int(sys.argv[3]) > 0:
    random_steps(int(sys.argv[2]), int(sys.argv[3]))
else:
    for one in [mapped, nameless, open_path, temporary, locks, holes, copies, attributes, as_other, names,
                times, deep, large, exchange, many, over]:
        say(one.__name__, one)
