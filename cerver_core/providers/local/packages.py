"""Work out the command that installs packages into a sandbox, and what of the host's settings it needs to see."""

import os
from collections.abc import Mapping
from pathlib import Path

from cerver_core.errors import RuntimeMissing
from cerver_core.providers.checks import check_names
from cerver_core.providers.local.layout import Box
from cerver_core.providers.local.runtimes import Runtimes
from cerver_core.wire.computes import InstallRequest

__all__ = ["install_command", "install_environment", "named_paths"]

_SETTINGS = frozenset({
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_FIND_LINKS", "PIP_NO_INDEX",
    "PIP_DEFAULT_TIMEOUT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_REGISTRY", "NPM_CONFIG_CAFILE", "NPM_CONFIG_PROXY", "NPM_CONFIG_HTTPS_PROXY",
    "NPM_CONFIG_NOPROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
})  # fmt: skip
"""What of the host's environment an installation may see; compared without regard to case."""

_PATHS = frozenset({
    "PIP_CERT", "PIP_FIND_LINKS", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE",
})  # fmt: skip


def install_command(request: InstallRequest, inside: Box, runtimes: Runtimes) -> list[str]:
    """Give the command line.

    Raises:
        InvalidInput: a name is empty, or is an option in disguise.
        RuntimeMissing: the installer is not on this machine; the message says how to get it.
    """
    check_names(request)
    if request.installer == "npm":
        return [*_npm(runtimes), "--prefix", inside.root, "--", *request.packages]
    python = runtimes.program("python")
    pip = runtimes.python.pip if runtimes.python is not None else ()
    if not pip:
        raise RuntimeMissing(f"the Python at {python} has no pip: install it, or put one that has pip first on PATH")
    options = ["--upgrade", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--no-cache-dir"]
    options += ["--root-user-action", "ignore", "--target", inside.packages]
    return [python, *pip, "install", *options, "--", *request.packages]


def install_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give what of the host's environment an installation needs: indexes, certificates, proxies."""
    return {name: value for name, value in environ.items() if name.upper() in _SETTINGS}


def named_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """List the files and folders that these settings name, so that they can be read from inside; never the home."""
    words = (word for name in environ if name.upper() in _PATHS for word in environ[name].split())
    home = Path(os.path.realpath(environ.get("HOME", "/")))
    named = (path for path in words if path.startswith("/") and Path(path).exists())
    return tuple(path for path in named if not home.is_relative_to(os.path.realpath(path)))


def _npm(runtimes: Runtimes) -> list[str]:
    runtimes.program("node")
    if runtimes.npm is None:
        raise RuntimeMissing("this machine has no npm: install it with Node.js, so that `npm` is on PATH")
    options = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    return ["npm", "install", *options]
