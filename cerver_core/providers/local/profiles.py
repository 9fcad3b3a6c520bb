"""What each isolation level shows and allows: mounts, Landlock rules, the macOS profile, the clean environment.

The macOS profile was written from documentation and has not been run on a Mac yet; there, the probe has the last word.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from cerver_core.providers.local.layout import Box

__all__ = [
    "bubblewrap_arguments",
    "clean_environment",
    "identity_files",
    "landlock_rules",
    "mac_profile",
    "second_lock",
]

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives", "ca-certificates", "crypto-policies", "debian_version", "fonts", "gai.conf", "host.conf", "hosts",
    "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "locale.conf", "localtime", "magic",
    "mime.types", "nsswitch.conf", "os-release", "perl", "pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs",
    "protocols", "resolv.conf", "services", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
"""What programs need of /etc: no account data, no keys, no credentials."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts")
_KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi")
"""The machine's own settings: files of root, which a sandbox that root started could otherwise write."""

_STANDARD_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
_KEPT = ("LANG", "LANGUAGE", "TZ", "TERM")
_USER_ID = "1000"
_TMP = "/tmp"  # noqa: S108 - the sandbox's own
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the sandbox's own


def bubblewrap_arguments(
    bubblewrap: str, box: Path, inside: Box, *, seen: list[str], network: bool, nesting: bool
) -> list[str]:
    """Give the command line up to the program: namespaces of its own, and only these mounts.

    `PASSWD` and `GROUP` in it stand for descriptors of files with the accounts and the groups to show. `nesting` lets
    commands make namespaces of their own, which not every machine lets us forbid.
    """
    arguments = [
        bubblewrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        *([] if network else ["--unshare-net"]), *([] if nesting else ["--disable-userns"]),
        "--cap-drop", "ALL", "--uid", _USER_ID, "--gid", _USER_ID, "--hostname", "cerver",
        "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv",
        "--ro-bind", "/usr", "/usr", *_links(),
        *(word for name in _ETC for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")),
        "--ro-bind-data", "PASSWD", "/etc/passwd", "--ro-bind-data", "GROUP", "/etc/group",
        "--proc", "/proc", *(word for path in _KERNEL for word in ("--ro-bind-try", path, path)),
        "--dev", "/dev", "--dir", "/run", "--dir", "/var",
        *(word for path in seen for word in ("--ro-bind-try", path, path)),
        "--bind", str(box), inside.root, "--bind", str(box / "tmp"), _TMP, "--symlink", _TMP, f"/var{_TMP}",
        "--remount-ro", "/", "--chdir", inside.work,
    ]  # fmt: skip
    return [*arguments, "--"]


def identity_files(home: str) -> tuple[bytes, bytes]:
    """Give the accounts and groups that a sandbox knows: its own user and nobody."""
    passwd = f"cerver:x:{_USER_ID}:{_USER_ID}:Cerver:{home}:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    return passwd.encode(), f"cerver:x:{_USER_ID}:\nnogroup:x:65534:\n".encode()


def second_lock(inside: Box) -> dict[str, object]:
    """Give the Landlock rules that back up the mounts: read what is mounted, write only where a session may."""
    return {"readable": ["/"], "writable": [inside.root, _TMP, _SHARED_MEMORY, *_DEVICES], "network": True}


def landlock_rules(box: Path, *, seen: list[str], network: bool) -> dict[str, object]:
    """Give the rules for a sandbox without mounts of its own: what it may read, what it may write."""
    etc = [f"/etc/{name}" for name in (*_ETC, "passwd", "group")]
    readable = ["/usr", *_SYSTEM, *etc, *(os.path.realpath(path) for path in etc), "/proc", "/dev", *seen]
    return {"readable": readable, "writable": [str(box), *_DEVICES], "network": network}


def mac_profile(box: Path, *, seen: list[str], network: bool) -> str:
    """Give a sandbox-exec profile with the same promise as Landlock's rules, for macOS."""
    readable = ["/usr", "/bin", "/sbin", "/System", "/Library", "/private/etc", "/private/var/db", "/dev", *seen]
    lines = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork process-exec sysctl-read mach-lookup ipc-posix-shm)",
        "(allow signal (target same-sandbox))",
        "(allow process-info* (target same-sandbox))",
        "(allow file-read-metadata)",
        f'(allow file-read* {_subpaths(readable)} (literal "/"))',
        f"(allow file-read* file-write* {_subpaths([os.path.realpath(box)])})",
        '(allow file-write-data (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty"))',
        *(["(allow network* system-socket)"] if network else []),
    ]
    return "\n".join(lines)


def clean_environment(environ: Mapping[str, str], inside: Box, program_folders: list[str]) -> dict[str, str]:
    """Give the environment that every command starts from; of the user's own only language, zone and terminal."""
    own = [f"{inside.packages}/bin", f"{inside.root}/node_modules/.bin", f"{inside.home}/.local/bin"]
    folders = [*own, *program_folders, *_STANDARD_PATH]
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")}
    return {
        "TERM": "dumb",
        **({} if any(name in kept for name in ("LANG", "LC_ALL")) else {"LANG": "C.UTF-8"}),
        **kept,
        "PATH": ":".join(dict.fromkeys(folders)),
        "HOME": inside.home,
        "TMPDIR": inside.tmp,
        "USER": "cerver",
        "LOGNAME": "cerver",
        "SHELL": "/bin/sh",
        "PYTHONPATH": inside.packages,
    }


def _links() -> list[str]:
    arguments: list[str] = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), name]
        elif path.exists():
            arguments += ["--ro-bind", name, name]
    return arguments


def _subpaths(paths: list[str]) -> str:
    quoted = (path.replace("\\", "\\\\").replace('"', '\\"') for path in paths)
    return " ".join(f'(subpath "{path}")' for path in quoted)
