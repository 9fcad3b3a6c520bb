"""What a remote sandbox does through its shell: the base of every adapter for a cloud."""

from cerver_core.providers.shell.link import Ended, Link, Program, ProgramStream
from cerver_core.providers.shell.provider import ShellProvider, cloud_compute

__all__ = ["Ended", "Link", "Program", "ProgramStream", "ShellProvider", "cloud_compute"]
