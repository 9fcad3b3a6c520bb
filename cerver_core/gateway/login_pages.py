"""The pages on which a person lets a machine in, or follows an invitation. No cookies, no script: nothing to ride on.

What a form does is allowed by what the person puts into it (a key, an invitation), which no other page knows; and a
form that another page sends is refused.
"""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cerver_core.api import Host
from cerver_core.errors import CerverError, Forbidden, InvalidInput, TooLarge
from cerver_core.gateway.call import Serving
from cerver_core.gateway.dispatch import address
from cerver_core.wire.problems import status_of

__all__ = ["ROUTES"]

_MOST_BYTES = 8 * 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_GONE = "No login waits for this code: it was answered, or 15 minutes went by. Begin again on the machine."


async def _approve_page(request: Request) -> Response:
    host = _admitted(request).host
    code = request.query_params.get("code", "")[:40]
    if not code:
        return _page("approve.html", code="", waiting=None, problem=None, done=None)
    waiting = await host.logins.waiting(code)
    problem = None if waiting else _GONE
    return _page("approve.html", code=code, waiting=waiting, problem=problem, done=None)


async def _approve(request: Request) -> Response:
    host = _admitted(request).host
    code, waiting = "", None
    try:
        form = await _form(request)
        code = form.get("code", "")[:40]
        waiting = await host.logins.waiting(code)
        done = await _answer(host, code, form) if waiting else None
    except CerverError as error:
        status = status_of(error)
        return _page("approve.html", status, code=code, waiting=waiting, problem=error.message, done=None)
    return _page("approve.html", code=code, waiting=None, problem=None if done else _GONE, done=done)


async def _answer(host: Host, code: str, form: dict[str, str]) -> str | None:
    """Do what the form says; gives what came of it, or null when no login waits any more."""
    key, invitation = form.get("key", "").strip(), form.get("invitation", "").strip()
    if not key and invitation:
        key = (await host.logins.accept(invitation.rpartition("token=")[2])).api_key
    if not key:
        raise InvalidInput("Paste a key of your account, or an invitation that its operator gave you.")
    caller = await host.authenticate(key)
    if form.get("answer") == "deny":
        return "The machine was turned away." if await host.logins.deny(code) else None
    return "The machine is let in. You can close this page." if await host.logins.approve(code, caller) else None


async def _invite_page(request: Request) -> Response:
    token = request.query_params.get("token", "")[:200]
    whom = await _admitted(request).host.logins.invitation(token)
    problem = None if whom else "This invitation is unknown, used or too old. Ask for another."
    return _page("invite.html", 200 if whom else 404, token=token, whom=whom, problem=problem, made=None)


async def _invite(request: Request) -> Response:
    host = _admitted(request).host
    try:
        form = await _form(request)
        made = await host.logins.accept(form.get("token", "")[:200])
    except CerverError as error:
        return _page("invite.html", status_of(error), token="", whom=None, problem=error.message, made=None)
    return _page("invite.html", token="", whom=None, problem=None, made=made)


def _admitted(request: Request) -> Serving:
    """Count a stranger's request."""
    serving: Serving = request.app.state.serving
    serving.rates.admit_stranger(address(request.scope))
    return serving


async def _form(request: Request) -> dict[str, str]:
    """Read a form that one of these pages sent.

    Raises:
        Forbidden: another page sent it.
        TooLarge: no form of ours is so large.
    """
    if not _is_own(request):
        raise Forbidden("this form was sent by another page: open the page here and try again")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > _MOST_BYTES:
            raise TooLarge("the form is too large")
    try:
        told = parse_qs(content.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise InvalidInput("the form cannot be read") from error
    return {name: values[-1] for name, values in told.items()}


def _is_own(request: Request) -> bool:
    """Tell whether a page of this gateway sent a form. Where a browser says so itself, its word counts.

    It sends `Origin: null` with forms of a page that has a strict `Referrer-Policy`, as ours have.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    return origin in {None, "null"} or urlsplit(origin).netloc == request.headers.get("host", "")


def _page(template: str, status: int = 200, **told: object) -> Response:
    environment = Environment(
        loader=PackageLoader("cerver_core.gateway"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return Response(environment.get_template(template).render(**told), status, _HEADERS, "text/html")


ROUTES: Sequence[BaseRoute] = (
    Route("/approve", _approve_page, methods=["GET"]),
    Route("/approve", _approve, methods=["POST"]),
    Route("/invite", _invite_page, methods=["GET"]),
    Route("/invite", _invite, methods=["POST"]),
)
