"""Privileges: who a process runs as and what it may do. The few Linux calls that Python lacks.

With `--user` the master gives up everything but CAP_NET_BIND_SERVICE, before it starts anything.
Loader and workers get nothing: the kernel clears the capabilities of a user other than root at
exec, and PR_SET_NO_NEW_PRIVS keeps it so.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pwd

# <linux/prctl.h>
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
# <linux/capability.h>
_CAPABILITY_VERSION_3: Final = 0x20080522
CAP_NET_BIND_SERVICE: Final = 10

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int = 0, second: int = 0) -> None:
    if _libc.prctl(option, first, second, 0, 0) != 0:
        _raise(f"prctl({option})")


def _raise(what: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def _capset(permitted: int, inheritable: int) -> None:
    """Set this process's capabilities: effective and permitted alike."""
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low, high = 0xFFFFFFFF, 32
    sets = (permitted, permitted, inheritable)
    words = [part & low for part in sets] + [part >> high for part in sets]
    data = (ctypes.c_uint32 * 6)(*words)
    if _libc.capset(ctypes.byref(head), ctypes.byref(data)) != 0:
        _raise("capset")


def give_up(name: str | None) -> str:
    """Become that user for good, keeping CAP_NET_BIND_SERVICE; give what is wrong, or nothing."""
    if not name:
        return ""
    import pwd  # only here: an import that most starts do without

    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return f"--user {name}: no such user; create it or name another"
    if os.geteuid() == user.pw_uid:
        return ""
    if os.geteuid() != 0:
        return f"--user {name}: only root can become another user; start as root or leave it away"
    try:
        _become(name, user)
    except OSError as error:
        return f"--user {name}: {error.strerror}; CAP_SETUID and CAP_SETGID are needed for it"
    return _unreachable(name)


def _unreachable(name: str) -> str:
    """Say what of the program its new user may not read: every child is executed anew."""
    for path, how in ((sys.executable, os.X_OK), (__file__, os.R_OK)):
        if not os.access(path, how):
            return (
                f"--user {name}: that user may not read {path}; install podway where it may "
                "(not below a home directory such as /root)"
            )
    return ""


def _become(name: str, user: pwd.struct_passwd) -> None:
    os.setgroups(os.getgrouplist(name, user.pw_gid))
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    _prctl(_PR_SET_KEEPCAPS, 0)
    _capset(1 << CAP_NET_BIND_SERVICE, 0)


def keep_over_exec() -> None:
    """Let CAP_NET_BIND_SERVICE survive an exec of this process (SIGUSR2), where it is held."""
    if os.geteuid() == 0 or not _holds(CAP_NET_BIND_SERVICE):
        return
    _capset(1 << CAP_NET_BIND_SERVICE, 1 << CAP_NET_BIND_SERVICE)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE)


def settle_after_exec() -> None:
    """Undo `keep_over_exec`, so that children don't inherit the capability."""
    if os.geteuid() != 0 and _holds(CAP_NET_BIND_SERVICE):
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        _capset(1 << CAP_NET_BIND_SERVICE, 0)


def confine_child(parent: int) -> None:
    """Between fork and exec: end with the master, and never gain a privilege."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _holds(capability: int) -> bool:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapPrm:"):
                return bool(int(line.split()[1], 16) >> capability & 1)
    return False
