"""The attacks: programs that try to harm, each returning WIN when it believes that it did.

Words in capitals are filled in by the arena: SECRET (a file only the engine's user may read), DROP
(a path to create), TCP, UDP (ports), UNIX_PATH, ABSTRACT (socket names), VICTIM, ENGINE (process ids),
TOKEN (a word in the engine's environment). The neighbours' sources hold a canary. What is not given as a whole program is the body of `transform`.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent

WIN = [[7, 7, 7, 7, 7]]
PRELUDE = """\
import os, ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
def has(text):  # without ever building the word itself
    data = text.encode() if isinstance(text, str) else text
    place = data.find(b"CAN")
    while place >= 0:
        if data[place + 3 : place + 6] == b"ARY": return True
        place = data.find(b"CAN", place + 1)
    return False
"""


@dataclass(frozen=True)
class Attack:
    """One attack: its family, its name, its source; `bare`: it succeeds with no sandbox at all."""

    family: str
    name: str
    source: str
    bare: bool


def _attacks(family: str, text: str, bare: str = "") -> list[Attack]:
    found = []
    for block in dedent(text).strip("\n").split("\n## "):
        name, _, body = block.removeprefix("## ").partition("\n")
        if "def transform" not in body:
            body = PRELUDE + f"WIN = {WIN}\ndef transform(grid):\n" + indent(body, "    ")
        found.append(Attack(family, name.strip(), body + "\n", name.strip() in bare.split()))
    return found


FILES = _attacks(
    "files",
    """
    ## open
    return WIN if open("SECRET").read() else grid
    ## os_open
    return WIN if os.read(os.open("SECRET", os.O_RDONLY), 9) else grid
    ## fileio
    import io
    return WIN if io.FileIO("SECRET").read() else grid
    ## write
    open("DROP", "w").write("x"); return WIN
    ## list
    return WIN if os.listdir("/") else grid
    ## stat
    return WIN if os.stat("SECRET") else grid
    ## unlink
    os.unlink("SECRET"); return WIN
    ## rename
    os.rename("SECRET", "DROP"); return WIN
    ## mkdir
    os.mkdir("DROP"); return WIN
    ## symlink
    os.symlink("SECRET", "DROP"); return WIN
    ## hardlink
    os.link("SECRET", "DROP"); return WIN
    ## chmod
    os.chmod("SECRET", 0o777); return WIN
    ## truncate
    os.truncate("SECRET", 0); return WIN
    ## fifo
    os.mkfifo("DROP"); return WIN
    ## proc_mem
    return WIN if open("/proc/self/mem", "rb") else grid
    ## proc_maps
    return WIN if open("/proc/self/maps").read() else grid
    ## dev_urandom
    return WIN if open("/dev/urandom", "rb").read(1) else grid
    ## numpy_fromfile
    import numpy as np
    return WIN if len(np.fromfile("SECRET", dtype="u1")) else grid
    ## numpy_save
    import numpy as np
    np.save("DROP", np.zeros(3)); return WIN
    ## numpy_memmap
    import numpy as np
    return WIN if len(np.memmap("SECRET", dtype="u1", mode="r")) else grid
    ## numpy_tofile
    import numpy as np
    np.zeros(3).tofile("DROP"); return WIN
    ## libc_open
    return WIN if libc.open(b"SECRET", 0) >= 0 else grid
    ## syscall_openat
    return WIN if libc.syscall(257, -100, b"SECRET", 0, 0) >= 0 else grid
    ## syscall_openat2
    return WIN if libc.syscall(437, -100, b"SECRET", b"\\0" * 24, 24) >= 0 else grid
    ## syscall_creat
    return WIN if libc.syscall(85, b"DROP", 0o644) >= 0 else grid
    ## import_from_disk
    import wave
    return WIN
    ## chroot
    os.chroot("/"); return WIN
    ## mount
    return WIN if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 else grid
    ## memfd
    return WIN if libc.syscall(319, b"x", 0) >= 0 else grid
    ## inherited_descriptors
    for fd in [*range(3), *range(4, 300)]:
        try:
            os.read(fd, 1)
            return WIN
        except BlockingIOError:
            return WIN
        except OSError as error:
            if error.errno not in (1, 9): return WIN
    return grid
    """,
    bare="open os_open fileio write list stat unlink rename mkdir symlink hardlink chmod truncate "
    "fifo proc_maps numpy_fromfile numpy_save numpy_memmap numpy_tofile libc_open syscall_openat "
    "import_from_disk memfd",
)

ENVIRONMENT = _attacks(
    "environment",
    """
    ## environ
    return WIN if "TOKEN" in str(dict(os.environ)) else grid
    ## libc_environ
    pointers = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    n = 0
    while pointers[n]:
        if b"TOKEN" in pointers[n]: return WIN
        n += 1
    return grid
    ## proc_environ
    return WIN if b"TOKEN" in open("/proc/self/environ", "rb").read() else grid
    ## parents_environ
    return WIN if b"TOKEN" in open("/proc/ENGINE/environ", "rb").read() else grid
    ## getenv
    libc.getenv.restype = ctypes.c_char_p
    return WIN if libc.getenv(b"SOAR_TOKEN") else grid
    ## stack_above
    libc.getenv.restype = ctypes.c_void_p
    start = libc.getenv(b"LC_ALL") or libc.getenv(b"PATH")
    return WIN if b"TOKEN" in ctypes.string_at(start, 512) else grid
    """,
    bare="environ libc_environ proc_environ getenv",
)

NETWORK = _attacks(
    "network",
    """
    ## tcp
    import socket
    socket.create_connection(("127.0.0.1", TCP), 1).send(b"hello"); return WIN
    ## udp
    import socket
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", UDP)); return WIN
    ## unix
    import socket
    socket.socket(socket.AF_UNIX).connect("UNIX_PATH"); return WIN
    ## abstract
    import socket
    socket.socket(socket.AF_UNIX).connect("\\0ABSTRACT"); return WIN
    ## libc_tcp
    s = libc.socket(2, 1, 0)
    address = b"\\2\\0" + (TCP).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return WIN if libc.connect(s, address, 16) == 0 else grid
    ## libc_udp
    s = libc.socket(2, 2, 0)
    address = b"\\2\\0" + (UDP).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return WIN if libc.sendto(s, b"hello", 5, 0, address, 16) == 5 else grid
    ## libc_abstract
    s = libc.socket(1, 1, 0)
    address = b"\\1\\0\\0ABSTRACT"
    return WIN if libc.connect(s, address, len(address)) == 0 else grid
    ## listen
    s = libc.socket(2, 1, 0)
    return WIN if libc.listen(s, 1) == 0 else grid
    ## socketpair
    pair = (ctypes.c_int * 2)()
    return WIN if libc.socketpair(1, 1, 0, pair) == 0 else grid
    ## netlink
    return WIN if libc.socket(16, 3, 0) >= 0 else grid
    ## packet
    return WIN if libc.socket(17, 3, 0) >= 0 else grid
    ## vsock
    return WIN if libc.socket(40, 1, 0) >= 0 else grid
    ## x32_socket
    return WIN if libc.syscall(0x40000000 + 41, 2, 1, 0) >= 0 else grid
    ## io_uring
    return WIN if libc.syscall(425, 4, b"\\0" * 120) >= 0 else grid
    ## lookup
    libc.getaddrinfo.restype = ctypes.c_int
    out = ctypes.c_void_p()
    return WIN if libc.getaddrinfo(b"localhost", b"80", None, ctypes.byref(out)) == 0 else grid
    """,
    bare="tcp udp unix abstract libc_tcp libc_udp libc_abstract listen socketpair netlink",
)

PROCESSES = _attacks(
    "processes",
    """
    ## fork
    pid = os.fork()
    if pid == 0: os._exit(0)
    return WIN
    ## libc_fork
    pid = libc.fork()
    if pid == 0: libc._exit(0)
    return WIN if pid > 0 else grid
    ## vfork
    pid = libc.syscall(58)
    if pid == 0: libc._exit(0)
    return WIN if pid > 0 else grid
    ## clone
    pid = libc.syscall(56, 17, 0, 0, 0, 0)
    if pid == 0: libc._exit(0)
    return WIN if pid > 0 else grid
    ## clone3
    arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)
    pid = libc.syscall(435, arguments, 88)
    if pid == 0: libc._exit(0)
    return WIN if pid > 0 else grid
    ## system
    return WIN if os.system("touch DROP") == 0 else grid
    ## libc_system
    return WIN if libc.system(b"touch DROP") == 0 else grid
    ## subprocess
    import subprocess
    subprocess.run(["touch", "DROP"], check=True); return WIN
    ## posix_spawn
    os.posix_spawn("/usr/bin/touch", ["touch", "DROP"], {}); return WIN
    ## exec
    os.execv("/usr/bin/touch", ["touch", "DROP"])
    ## execveat
    return WIN if libc.syscall(322, -100, b"/usr/bin/touch", None, None, 0) == 0 else grid
    ## thread
    import _thread
    lock = _thread.allocate_lock(); lock.acquire()
    _thread.start_new_thread(lock.release, ())
    return WIN if lock.acquire(timeout=5) else grid
    ## fork_bomb
    while True: os.fork()
    ## unshare
    return WIN if libc.unshare(0x10000000) == 0 else grid
    ## setns
    return WIN if libc.setns(0, 0) == 0 else grid
    ## setuid
    os.setuid(0)
    return WIN if os.getuid() == 0 else grid
    ## more_processes
    import resource
    resource.setrlimit(resource.RLIMIT_NPROC, (99, 99)); return WIN
    ## new_privileges
    return WIN if libc.prctl(38, 0, 0, 0, 0) == 0 else grid
    ## second_filter
    return WIN if libc.syscall(317, 1, 0, None) == 0 or libc.prctl(22, 2, None) == 0 else grid
    """,
    bare="fork libc_fork clone system libc_system subprocess posix_spawn exec thread",
)

SIGNALS = _attacks(
    "signals",
    """
    ## kill_victim
    os.kill(VICTIM, 9); return WIN
    ## stop_victim
    os.kill(VICTIM, 19); return WIN
    ## kill_engine
    os.kill(ENGINE, 10); return WIN
    ## kill_parent
    os.kill(os.getppid(), 9); return WIN
    ## stop_parent
    os.kill(os.getppid(), 19); return WIN
    ## kill_everyone
    os.kill(-1, 9); return WIN
    ## kill_group
    os.killpg(0, 9); return WIN
    ## tgkill
    return WIN if libc.syscall(234, VICTIM, VICTIM, 9) == 0 else grid
    ## sigqueue
    return WIN if libc.sigqueue(VICTIM, 9, None) == 0 else grid
    ## pidfd
    fd = libc.syscall(434, VICTIM, 0)
    return WIN if fd >= 0 and libc.syscall(424, fd, 9, None, 0) == 0 else grid
    ## ptrace
    return WIN if libc.ptrace(16, VICTIM, None, None) == 0 else grid
    ## ptrace_parent
    return WIN if libc.ptrace(16, os.getppid(), None, None) == 0 else grid
    ## read_memory
    part = ctypes.create_string_buffer(8)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(part), 8)
    remote = (ctypes.c_size_t * 2)(id(grid), 8)
    got = libc.syscall(310, os.getppid(), local, 1, remote, 1, 0)
    return WIN if got == 8 else grid
    ## write_memory
    part = ctypes.create_string_buffer(8)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(part), 8)
    got = libc.syscall(311, os.getppid(), local, 1, local, 1, 0)
    return WIN if got == 8 else grid
    ## parents_limits
    limits = (ctypes.c_uint64 * 2)(1, 1)
    return WIN if libc.syscall(302, os.getppid(), 7, limits, None) == 0 else grid
    ## parents_cores
    mask = (ctypes.c_uint64 * 16)(1)
    return WIN if libc.syscall(203, os.getppid(), 128, mask) == 0 else grid
    ## victims_priority
    return WIN if libc.setpriority(0, VICTIM, 19) == 0 else grid
    ## parent_scheduling
    return WIN if libc.sched_setscheduler(os.getppid(), 5, (ctypes.c_int * 1)(0)) == 0 else grid
    ## shared_memory
    return WIN if libc.shmget(4711, 4096, 0o1666) >= 0 else grid
    ## message_queue
    return WIN if libc.msgget(4711, 0o1666) >= 0 else grid
    ## keyring
    return WIN if libc.syscall(248, b"user", b"soar", b"x", 1, -3) >= 0 else grid
    """,
    bare="kill_victim stop_victim kill_engine tgkill victims_priority shared_memory message_queue",
)

MEMORY = _attacks(
    "memory",
    """
    ## list
    x = []
    while True: x.append([0] * 10**6)
    ## bytes
    return WIN if bytes(8 << 30) else grid
    ## numpy
    import numpy as np
    return WIN if np.ones(1 << 30).sum() else grid
    ## string
    s = "x"
    while True: s += s
    ## dict
    d = {}
    while True: d[len(d)] = " " * 10**5
    ## mmap
    libc.mmap.restype = ctypes.c_ssize_t
    return WIN if libc.mmap(None, ctypes.c_size_t(64 << 30), 3, 0x22, -1, 0) != -1 else grid
    ## raise_limit
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); return WIN
    ## frames
    sys.setrecursionlimit(10**9)
    def down(n): return down(n + 1)
    return down(0)
    ## lock
    return WIN if libc.mlockall(3) == 0 else grid
    ## catch_and_go_on
    x = []
    while True:
        try: x.append(bytearray(10**7))
        except MemoryError: pass
    """,
)

CPU = _attacks(
    "cpu",
    """
    ## sum
    return sum(range(10**13))
    ## power
    return pow(7, 10**9)
    ## regex
    import re
    return re.match("(a+)+b", "a" * 60)
    ## consume
    from collections import deque; from itertools import repeat
    deque(repeat(0), maxlen=0)
    ## numpy
    import numpy as np
    a = np.ones((3000, 3000))
    while True: a = a @ a
    ## sort
    return sorted(range(10**8), key=lambda x: -x)
    ## ignore_signals
    import signal
    for n in range(1, 65):
        try: signal.signal(n, signal.SIG_IGN)
        except (OSError, ValueError): pass
    while True: pass
    ## catch_all
    while True:
        try:
            while True: pass
        except BaseException: pass
    ## endless_finally
    try: return grid
    finally:
        while True: pass
    ## sleep
    import time
    time.sleep(10**6); return WIN
    ## deadlock
    import _thread
    lock = _thread.allocate_lock(); lock.acquire(); lock.acquire()
    ## pause
    libc.pause(); return grid
    ## wait_for_input
    return WIN if sys.stdin.read() or input() else grid
    ## compile
    compile("-" * 10**6 + "1", "x", "eval")
    ## to_string
    return str(10 ** (10**7))
    """,
)

FLOODS = _attacks(
    "floods",
    """
    ## print
    for _ in range(10**5): print("x" * 1000)
    return grid
    ## descriptors
    for fd in range(64):
        try:
            for _ in range(1000):
                if fd != 3: os.write(fd, b"x" * 65536)
        except OSError: pass
    return grid
    ## error
    raise ValueError("x" * 10**7)
    ## error_lines
    raise ValueError("\\n\\x1b[2J\\x07\\u202e" * 10**5)
    ## wide_output
    return [[0] * 10**6] * 10**6
    ## warnings
    import warnings
    for n in range(10**4): warnings.warn(str(n))
    return grid
    ## tracebacks
    def deep(n): return deep(n - 1) if n else 1 / 0
    return deep(900)
    """,
)

HEADER = """\
import os, struct, sys, time
head = struct.Struct('<IIHB')
result = bytes([0, 1, 5, 7, 7, 7, 7, 8])
def ours():  # what the zygote knew of us when it forked
    frame = sys._getframe()
    while "request" not in frame.f_locals: frame = frame.f_back
    return frame.f_locals["request"].job, frame.f_locals["item"].number
"""


def _forged(text: str) -> list[Attack]:
    blocks = dedent(text).strip("\n").split("\n## ")
    return [
        Attack(
            "forged frames",
            name.strip(),
            HEADER + "def transform(grid):\n" + indent(body, "    ") + "\n    return grid\n",
            bare=False,
        )
        for name, _, body in (block.removeprefix("## ").partition("\n") for block in blocks)
    ]


FORGED = _forged(
    """
    ## for_all_numbers
    for n in range(64): os.write(3, head.pack(len(result), 0, n, 0) + result)
    ## for_all_jobs
    for n in range(64): os.write(3, head.pack(len(result), n, 1, 1) + result)
    ## every_kind
    for n in range(256): os.write(3, head.pack(len(result), 0, 0, n) + result)
    ## too_many
    os.write(3, (head.pack(len(result), 0, 0, 1) + result) * 100)
    ## huge
    os.write(3, head.pack(0xFFFFFFFF, 0, 0, 1) + result)
    ## below_the_limit
    for _ in range(64): os.write(3, head.pack(1 << 20, 0, 0, 1) + bytes(1 << 20))
    ## cut_short
    os.write(3, head.pack(100, 0, 0, 1)[:7]); os._exit(0)
    ## header_only
    os.write(3, head.pack(100, 0, 0, 1)); os._exit(0)
    ## wrong_grid
    os.write(3, head.pack(5, 0, 0, 1) + bytes([0, 99, 99, 200, 200])); os._exit(0)
    ## wrong_text
    os.write(3, head.pack(5, 0, 0, 1) + bytes([1, 255, 255, 65, 65])); os._exit(0)
    ## terminal_codes
    text = b"\\x1b[2J\\x07\\r\\n"
    os.write(3, head.pack(3 + len(text), 0, 0, 1) + bytes([1, len(text), 0]) + text); os._exit(0)
    ## many_results_in_one
    os.write(3, head.pack(800, 0, 0, 1) + result * 100); os._exit(0)
    ## endless
    while True: os.write(3, head.pack(0, 0, 0, 5))
    ## for_a_neighbour
    job, number = ours()
    os.write(3, head.pack(len(result), job, number + 1, 1) + result)
    ## for_the_next_job
    job, number = ours()
    os.write(3, head.pack(len(result), job + 1, number + 1, 1) + result)
    ## for_the_next_job_but_one
    job, number = ours()
    os.write(3, head.pack(len(result), job + 2, number + 1, 1) + result)
    ## of_a_batch
    job, number = ours()
    os.write(3, head.pack(len(result), job, number, 0) + result)
    ## empty
    job, number = ours()
    os.write(3, head.pack(0, job, number, 1)); os._exit(0)
    ## too_many_of_its_own
    job, number = ours()
    os.write(3, head.pack(2 * len(result), job, number, 1) + 2 * result)
    ## drip
    os.write(3, head.pack(1 << 20, 0, 0, 1))
    while True:
        end = time.monotonic() + 0.02
        while time.monotonic() < end: pass
        os.write(3, b"x")
    """
)

POISON = _attacks(
    "poison",
    """
    ## builtins
    import builtins
    builtins.len = lambda x: 3; builtins.sum = lambda *x: 0; return grid
    ## builtins_by_name
    __builtins__.len = lambda x: 3; return grid
    ## numpy_function
    import numpy as np
    np.zeros = np.array = lambda *a, **k: None; return grid
    ## numpy_inside
    import numpy as np
    np.array.__globals__ if hasattr(np.array, "__globals__") else None
    sys.modules["numpy"].zeros = None; sys.modules["numpy"] = None; return grid
    ## numpy_errors
    import numpy as np
    np.seterr(all="raise"); np.set_printoptions(threshold=1); return grid
    ## collections
    import collections
    collections.Counter.most_common = lambda *a: [(0, 0)]; return grid
    ## small_ints
    ctypes.memmove(id(2) + 24, (ctypes.c_int32 * 1)(7), 4); return grid
    ## true_and_none
    ctypes.memmove(id(True) + 24, (ctypes.c_int32 * 1)(0), 4); return grid
    ## type_dictionary
    import gc
    gc.get_referents(list.__dict__)[0]["append"] = None
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(list)); return grid
    ## modules
    sys.modules.clear(); return grid
    ## import_hook
    import builtins
    builtins.__import__ = None; return grid
    ## recursion_limit
    sys.setrecursionlimit(20); return grid
    ## trace
    sys.settrace(lambda *a: 1 / 0); sys.setprofile(lambda *a: 1 / 0); return grid
    ## evaluator
    for name, module in list(sys.modules.items()):
        if name.startswith("engine"):
            for key, value in list(vars(module).items()):
                if callable(value): setattr(module, key, lambda *a, **k: bytes([0, 1, 1, 7]))
    return grid
    ## callers_variables
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, list): value[:] = [[[7]]] * len(value)
        frame = frame.f_back
    return grid
    ## every_list
    import gc
    for value in gc.get_objects():
        if type(value) is list:
            try: value.clear()
            except Exception: pass
    return grid
    ## garbage_collector
    import gc
    gc.callbacks.append(lambda *a: 1 / 0); gc.set_threshold(1); gc.disable(); return grid
    ## seeds
    import random, numpy as np
    random.seed(99); np.random.seed(99); return grid
    ## exit_hooks
    import atexit
    atexit.register(lambda: os.write(3, b"x" * 99)); return grid
    ## allocator
    libc.mallopt(-6, 7); return grid
    ## std_streams
    sys.stdout = sys.stderr = sys.__stdout__ = None; return grid
    """,
)

READING = _attacks(
    "reading neighbours",
    """
    ## objects
    import gc
    for value in gc.get_objects():
        for part in gc.get_referents(value):
            if isinstance(part, (bytes, str)) and has(part): return WIN
    return grid
    ## callers_frames
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, (bytes, str)) and has(value): return WIN
        frame = frame.f_back
    return grid
    ## exceptions_frames
    try: 1 / 0
    except ZeroDivisionError as error: frame = error.__traceback__.tb_frame
    while frame:
        if has(str(frame.f_locals)): return WIN
        frame = frame.f_back
    return grid
    ## memory_around
    base = id(grid) & ~0xFFFFF
    for page in range(base - (2 << 20), base + (1 << 20), 4096):
        if libc.madvise(ctypes.c_void_p(page), 4096, 0) == 0:
            if has(ctypes.string_at(page, 4096)): return WIN
    return grid
    ## heap
    libc.sbrk.restype = ctypes.c_void_p
    top = libc.sbrk(0) & ~4095
    for page in range(top - (8 << 20), top, 4096):
        if libc.madvise(ctypes.c_void_p(page), 4096, 0) == 0:
            if has(ctypes.string_at(page, 4096)): return WIN
    return grid
    ## inbox
    import gc
    for value in gc.get_objects():
        for part in gc.get_referents(value):
            if type(part) is memoryview or type(part).__name__ == "mmap":
                if has(bytes(part)): return WIN
    return grid
    ## freed_memory
    import numpy as np
    for size in (64, 256, 1024, 4096, 1 << 16, 1 << 20):
        for _ in range(20):
            if has(np.empty(size, np.uint8).tobytes()): return WIN
    return grid
    ## freed_memory_by_the_gate
    import numpy as np
    def transform(grid):
        for size in (64, 256, 1024, 4096, 65536, 1048576):
            for _ in range(20):
                for data in (np.empty(size, np.uint8), np.ndarray(size, np.uint8)):
                    text = data.tobytes()
                    place = text.find(b"CAN")
                    if place >= 0 and text[place + 3 : place + 6] == b"ARY":
                        return [[7, 7, 7, 7, 7]]
                    if data.any():
                        return [[7, 7, 7, 7, 7]]
        return grid
    ## pipe
    for fd in range(64):
        try:
            if has(os.read(fd, 1 << 20)): return WIN
        except OSError: pass
    return grid
    ## linecache
    import linecache
    return WIN if has(str(linecache.cache)) else grid
    ## siblings
    for pid in range(1, 200):
        try:
            if has(open(f"/proc/{pid}/mem", "rb").read(100)): return WIN
        except OSError: pass
    return grid
    """,
)

EXITS = _attacks(
    "exits",
    """
    ## sys_exit
    sys.exit(0)
    ## hard_exit
    os._exit(0)
    ## system_exit
    raise SystemExit
    ## interrupt
    raise KeyboardInterrupt
    ## generator_exit
    raise GeneratorExit
    ## abort
    os.abort()
    ## exit_on_delete
    class D:
        def __del__(self): os._exit(0)
    d = D(); return grid
    ## loop_on_delete
    class D:
        def __del__(self):
            while True: pass
    d = D(); return grid
    ## close_outlet
    os.close(3); return grid
    ## recover_and_loop
    try: sys.exit(0)
    finally:
        while True: pass
    ## module_exit
    import os
    os._exit(0)
    def transform(grid): return grid
    """,
)

CRASHES = _attacks(
    "crashes",
    """
    ## null
    ctypes.string_at(0)
    ## wild_write
    ctypes.memset(id(type) - (1 << 20), 0, 8 << 20)
    ## stack
    libc.qsort
    x = []
    for _ in range(10**6): x = [x]
    return repr(x) and WIN
    ## deep_tuple
    x = ()
    for _ in range(10**6): x = (x,)
    hash(x); return grid
    ## code_object
    f = lambda: 0
    f.__code__ = f.__code__.replace(co_code=b"d\\x7f" * 50); return f()
    ## executable_memory
    libc.mmap.restype = ctypes.c_void_p
    page = libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, 0)
    if page in (None, 2**64 - 1): return grid
    ctypes.memmove(page, b"\\xb8\\x07\\x00\\x00\\x00\\xc3", 6)
    return WIN if ctypes.CFUNCTYPE(ctypes.c_int)(page)() == 7 else grid
    ## make_executable
    part = ctypes.create_string_buffer(8192)
    page = (ctypes.addressof(part) + 4095) & ~4095
    return WIN if libc.mprotect(ctypes.c_void_p(page), 4096, 7) == 0 else grid
    ## strides
    import numpy as np
    a = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 20,), (1 << 20,))
    return [[int(a.sum() != 1) * 0]]
    ## free_twice
    part = libc.malloc; part.restype = ctypes.c_void_p
    p = part(64); libc.free(ctypes.c_void_p(p)); libc.free(ctypes.c_void_p(p)); return grid
    """,
    bare="executable_memory make_executable",
)

GADGETS = _attacks(
    "gadgets as outputs",
    """
    ## reduce
    class G:
        def __reduce__(self): return (os.system, ("touch DROP",))
    return [[G()]]
    ## lying_list
    class G(list):
        def __len__(self): return 10**9
    return G([[1]])
    ## lying_row
    class G(list):
        def __iter__(self):
            while True: yield 7
    return [G([1, 2])]
    ## lying_int
    class G(int):
        def __index__(self): return 10**9
        def __lt__(self, other): return True
    return [[G(3)]]
    ## lying_class
    class G:
        __class__ = list
        def __len__(self): return 1
        def __getitem__(self, n): return [7]
    return G()
    ## array_protocol
    class G:
        def __array__(self, *a, **k): os._exit(0)
    return G()
    ## array_subclass
    import numpy as np
    class G(np.ndarray):
        def __array_finalize__(self, other): os.write(3, b"x")
    return np.zeros((2, 2), int).view(G)
    ## self_reference
    x = []; x.append(x); return x
    ## infinite_rows
    def rows():
        while True: yield [7]
    return rows()
    ## error_text
    class E(Exception):
        def __str__(self):
            while True: pass
    raise E
    ## error_name
    raise type("E\\x1b[2J\\n" * 100, (Exception,), {})
    ## error_gadget
    class E(Exception):
        def __str__(self): return G()
    class G(str):
        def __getitem__(self, n): os._exit(0)
        def split(self): return ["x" * 10**6]
    raise E
    ## lying_sequence
    from collections.abc import Sequence
    class G(Sequence):
        def __len__(self): return 2
        def __getitem__(self, n): return [7, 7] if n == 0 else [True]
    return G()
    ## changing_row
    class G(list):
        n = 0
        def __len__(self): G.n += 1; return G.n
    return [G([1, 2, 3]), [1]]
    """,
)

EVASION = _attacks(
    "gate evasion",
    """
    ## dunder_chain
    for c in ().__class__.__base__.__subclasses__():
        if c.__name__ == "_wrap_close": c.__init__.__globals__["system"]("touch DROP")
    ## format_chain
    return WIN if "0x" not in "{0.__globals__}".format(transform) else grid
    ## type_call
    return type("X", (list,), {"__len__": lambda s: 1 / 0})([[7]])
    ## attrgetter
    import operator
    operator.attrgetter("__globals__")(transform)["len"] = None; return grid
    ## star
    from numpy import *
    def transform(grid):
        import numpy
        numpy.zeros = None
        return grid
    ## unicode_names
    import ｏｓ
    def transform(grid):
        return [[7, 7, 7, 7, 7]] if ｏｓ.ｆｏｒｋ() >= 0 else grid
    ## wraps
    import functools, numpy as np
    functools.wraps(lambda: 0)(np.pad); functools.update_wrapper(np.pad, transform); return grid
    ## code_swap
    import numpy as np
    np.pad.__wrapped__.__code__ = (lambda *a, **k: None).__code__; return grid
    ## generator_frame
    g = (x for x in [1])
    g.gi_frame.f_builtins["len"] = lambda x: 3; return grid
    ## class_pattern
    def transform(grid):
        match print:
            case object(__self__=module):
                module.len = None
        return grid
    ## metaclass
    class M(type):
        def __call__(cls, *a): return sys.modules
    class C(metaclass=M): pass
    C()["numpy"].zeros = None; return grid
    ## decorator
    import numpy as np
    @np.vectorize
    def f(x): return x
    f.pyfunc.__globals__["__builtins__"]["len"] = None; return grid
    ## annotations
    def transform(grid: __import__("os").fork()) -> list: return grid
    ## default
    def transform(grid, x=[].__class__.__base__): return grid
    ## fstring
    def transform(grid): return f"{grid.__class__.__base__.__subclasses__()}"
    ## global_builtins
    def transform(grid):
        global __builtins__
        __builtins__["len"] = None
        return grid
    ## typing_forward
    import typing
    typing.get_type_hints(type("X", (), {"__annotations__": {"x": "__import__('os').fork()"}}))
    return grid
    ## copyreg
    import copy
    copy._deepcopy_dispatch[list] = lambda x, m: [[7]]; return grid
    ## dict_union
    vars()["__builtins__"] = {}; globals()["__builtins__"] = {}; return grid
    ## async
    async def f(): return sys
    try: f().send(None)
    except StopIteration as e: e.value.modules["numpy"].zeros = None
    return grid
    """,
)

ALL = [
    *FILES, *ENVIRONMENT, *NETWORK, *PROCESSES, *SIGNALS, *MEMORY, *CPU, *FLOODS, *FORGED, *POISON,
    *READING, *EXITS, *CRASHES, *GADGETS, *EVASION,
]  # fmt: skip
