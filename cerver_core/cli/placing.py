"""What commands about places have in common: the options that say what the work needs, and figures for a person."""

from argparse import ArgumentParser, Namespace
from typing import get_args

from cerver_core.cli.connected import ask
from cerver_core.wire.computes import PersistenceLevel, Requirements, Runtime
from cerver_core.wire.routing import Estimate, Mode, Policy

__all__ = ["interval", "milliseconds", "place_arguments", "policy", "requirements", "share", "usd"]

_NEEDS = ("package_install", "public_preview", "browser", "desktop")


def place_arguments(parser: ArgumentParser) -> None:
    """Add the options that say what the work needs and how to choose."""
    parser.add_argument("--workload", help="its kind: general, coding, preview, long_running, …")
    parser.add_argument("--runtime", choices=get_args(Runtime), help="what runs its code (default: shell)")
    parser.add_argument("--needs", action="append", choices=_NEEDS, help="what it cannot do without (repeat)")
    parser.add_argument("--persistence", choices=get_args(PersistenceLevel), help="how long its files outlive it")
    parser.add_argument("--minutes", type=int, help="its time limit (default: 20)")
    parser.add_argument("--mode", choices=get_args(Mode), help="what counts most (default: balanced)")
    parser.add_argument("--pin", metavar="PROVIDER", help="this one, if it can take the work")
    parser.add_argument("--allow", action="append", metavar="PROVIDER", help="these alone (repeat)")
    parser.add_argument("--max-startup-ms", type=float, metavar="MS", help="not those expected to start later")
    parser.add_argument("--max-cost-usd", type=float, metavar="USD", help="not those that could cost more")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def requirements(args: Namespace) -> Requirements:
    """Read what the work needs."""
    needs: dict[str, object] = dict.fromkeys(args.needs or (), True)
    fields = {"runtime": args.runtime, "persistence_level": args.persistence, "timeout_minutes": args.minutes}
    return ask(Requirements, {**fields, **needs})


def policy(args: Namespace) -> Policy:
    """Read how to choose."""
    fields: dict[str, object] = {
        "mode": "pinned" if args.pin and args.mode is None else args.mode,
        "pinned_provider": args.pin,
        "allowed_providers": args.allow,
        "max_startup_ms": args.max_startup_ms,
        "max_cost_usd": args.max_cost_usd,
    }
    return ask(Policy, fields)


def milliseconds(value: float | None) -> str:
    """Write a time."""
    if value is None:
        return "-"
    return f"{value / 1_000:.1f} s" if value >= 1_000 else f"{value:.0f} ms"


def interval(estimate: Estimate) -> str:
    """Write an estimated time with its interval and where it comes from."""
    source = f"n={estimate.n}" if estimate.n else "published, old" if estimate.stale else "published"
    low, high = milliseconds(estimate.low), milliseconds(estimate.high)
    return f"{milliseconds(estimate.value)} ({low} to {high}; {source})"


def usd(value: float | None) -> str:
    """Write an amount; unknown is never nothing."""
    return "unknown" if value is None else f"${value:.4f}".rstrip("0").rstrip(".") if value else "$0"


def share(value: float | None) -> str:
    """Write a share of one as a percentage."""
    return "-" if value is None else f"{value:.1%}"
