"""`cerver billing` and `cerver audit`: what an account spent, its limit, and who did what with which key."""

from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.moments import moment_since
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import InvalidInput
from cerver_core.wire.account import AuditEntry, Billing, BillingPeriod, ListAudit, SetSpendingLimit, SpendingLimit

__all__ = ["COMMANDS"]


def _billing_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="a date, or 12h, 30d, 8w ago (default: this month)")
    parser.add_argument("--sessions", action="store_true", help="list what each session cost, up to 200")
    parser.add_argument("--set-limit", metavar="USD", help="the most that a month may cost; `none` takes it away")
    parser.add_argument("--project", metavar="SLUG", help="--set-limit: for this project alone")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _billing(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.set_limit is not None:
        return await _set_limit(cerver, args, terminal)
    if args.project is not None:
        raise InvalidInput("--project goes with --set-limit; a key of a project sees that project's bill")
    bill = await cerver.account.billing(ask(BillingPeriod, {"since": moment_since(args.since)}))
    if args.json:
        terminal.json(bill.model_dump(mode="json"))
    elif args.sessions:
        _show_sessions(bill, terminal)
    else:
        _show_sums(bill, terminal)
    return exits.OK


async def _set_limit(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    request = SetSpendingLimit(limit_usd=_limit_usd(args.set_limit), project_slug=args.project)
    limit = await cerver.account.set_spending_limit(request)
    terminal.line(_said(limit))
    return exits.OK


def _limit_usd(text: str) -> float | None:
    if text == "none":
        return None
    try:
        return ask(SetSpendingLimit, {"limit_usd": text}).limit_usd
    except InvalidInput as error:
        raise InvalidInput(f"--set-limit {text!r} is no sum: say 20 or 12.50 for US dollars, or none") from error


def _show_sums(bill: Billing, terminal: Terminal) -> None:
    terminal.pairs(
        {
            "period": f"{bill.period.start:%Y-%m-%d} to {bill.period.end:%Y-%m-%d}",
            "sessions": f"{_usd(bill.totals.service_usd)}  for {bill.counts.sessions:,}",
            "sandboxes": f"{_usd(bill.totals.sandbox_compute_usd)}  for {bill.counts.sandbox_seconds:,.0f} s",
            "total": _usd(bill.totals.total_usd),
            "limit": _said(bill.spending_limit),
        }
    )


def _show_sessions(bill: Billing, terminal: Terminal) -> None:
    rows = [
        (one.session_id, _usd(one.total_usd), f"{one.compute_ms / 1_000:,.1f} s", f"{one.last_seen:%Y-%m-%d %H:%M}")
        for one in bill.by_session
    ]
    terminal.table(("SESSION", "COST", "COMPUTE", "LAST SEEN"), rows)


def _said(limit: SpendingLimit) -> str:
    if not limit.enabled or limit.limit_usd is None:
        return "none"
    whose = f" for {limit.project_slug}" if limit.project_slug else ""
    return f"{_usd(limit.limit_usd)} a month{whose}; {_usd(limit.spent_usd)} spent, anew on {limit.resets_at:%Y-%m-%d}"


def _usd(amount: float) -> str:
    return f"${amount:,.3f}"


def _audit_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, metavar="N", help="how many lines: 1 to 200 (default: 50)")
    parser.add_argument("--cursor", help="go on after a page, with what it said")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _audit(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    page = await cerver.account.audit(ask(ListAudit, {"limit": args.limit, "cursor": args.cursor}))
    if args.json:
        terminal.json(page.model_dump(mode="json"))
        return exits.OK
    terminal.table(("AT", "KEY", "DID", "TO", "WITH"), [_row(entry) for entry in page.entries])
    if page.next_cursor:
        terminal.note(f"older: --cursor {page.next_cursor}")
    return exits.OK


def _row(entry: AuditEntry) -> tuple[str, ...]:
    details = ", ".join(f"{name}={value}" for name, value in entry.detail.items())
    return (f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.key, entry.action, entry.target or entry.project_slug or "", details)


COMMANDS: Commands = {
    "billing": Command(_billing_arguments, connected(_billing, sees_to_notes=False)),
    "audit": Command(_audit_arguments, connected(_audit, sees_to_notes=False)),
}
