"""What Infisical answers to a request, in 2024 and today; pure, no socket.

The two ages differ in their routes, in the fields of a secret and in the status for one and the same mistake. A service
token with one plain scope is answered from that scope, whatever was asked: so does the real server, in both ages.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

__all__ = ["Age", "Asked", "Identity", "Reply", "Rules", "ServiceToken"]

Age = Literal["2024", "today"]

_HIDDEN = "<hidden-by-infisical>"
_LOGIN = "/api/v1/auth/universal-auth/login"
_ROUTES = {"/api/v3/secrets/raw": "workspaceId", "/api/v4/secrets": "projectId"}
_MOMENT = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; `target` is the raw path and query."""

    method: str
    target: str
    authorization: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before it is written."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """A machine identity and what it may read."""

    client_id: str
    client_secret: str
    reads: Literal["values", "names", "nothing"]
    lasts_s: int


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A service token without its key part, and its one scope."""

    text: str
    environment: str
    path: str

    @property
    def is_glob(self) -> bool:
        """Tell whether its path is a pattern; only then the server heeds what was asked."""
        return self.path.endswith("*")


@dataclass(slots=True)
class Rules:
    """One project's secrets, by environment, and who may read them."""

    age: Age
    project: str
    vault: Mapping[str, Mapping[str, str]]
    identities: dict[str, Identity] = field(default_factory=dict[str, Identity])
    service_tokens: dict[str, ServiceToken] = field(default_factory=dict[str, ServiceToken])
    access_tokens: dict[str, Identity] = field(default_factory=dict[str, Identity])

    def answer(self, asked: Asked) -> Reply:
        """Answer a request as the server of this age does."""
        path, _, query = asked.target.partition("?")
        if asked.method == "POST" and path == _LOGIN:
            return self._login(asked.body)
        base, _, segment = path.rpartition("/")
        if path in _ROUTES:
            base, segment = path, ""
        is_known = base in _ROUTES and not (self.age == "2024" and base.startswith("/api/v4"))
        if asked.method != "GET" or not is_known:
            return _error(404, f"Route {asked.method}:{asked.target} not found", "Not Found")
        return self._read(unquote(segment).strip(), query, _ROUTES[base], asked.authorization)

    def issue(self, identity: Identity) -> str:
        """Give an access token as a log-in does."""
        token = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_hex(12)}.{secrets.token_hex(12)}"
        self.access_tokens[token] = identity
        return token

    def _login(self, body: bytes) -> Reply:
        try:
            said = json.loads(body)
            identity = self.identities.get(said["clientId"])
            is_right = identity is not None and said["clientSecret"] == identity.client_secret
        except (ValueError, TypeError, KeyError):
            return self._mistake("invalid", ["clientId Required"])
        if identity is None or not is_right:
            return self._mistake("unauthenticated", "Invalid credentials")
        lasts = {"expiresIn": identity.lasts_s, "accessTokenMaxTTL": 2_592_000}
        return Reply(200, {"accessToken": self.issue(identity), **lasts, "tokenType": "Bearer"})

    def _read(self, name: str, query: str, project_field: str, authorization: str | None) -> Reply:
        who = self._who(authorization)
        if isinstance(who, Reply):
            return who
        given = parse_qs(query, keep_blank_values=True)
        if repeated := [key for key, values in given.items() if len(values) > 1]:
            return self._mistake("invalid", [f"{key}: Expected string, received array" for key in repeated])
        said = {key: values[0] for key, values in given.items()}
        if project_field not in said or "environment" not in said:
            return self._mistake("invalid", [f"{project_field} and environment are required"])
        place = (said[project_field], said["environment"], said.get("secretPath", "/").rstrip("/") or "/")
        if isinstance(who, ServiceToken):
            own = (self.project, who.environment, who.path)
            if who.is_glob and place[:2] != own[:2]:
                return self._mistake("denied", "You do not have permission to read secrets here")
            place = place if who.is_glob else own
        elif who.reads == "nothing":
            return self._mistake("denied", "You do not have permission to read secrets here")
        hides = isinstance(who, Identity) and who.reads == "names"
        return self._secret(name, *place, hides=hides or said.get("viewSecretValue") == "false")

    def _who(self, authorization: str | None) -> Identity | ServiceToken | Reply:
        if authorization is None:
            return self._mistake("unauthenticated", "Token missing")
        token = authorization.removeprefix("Bearer ")
        if token.startswith("st."):
            return self.service_tokens.get(token) or self._mistake("unauthenticated", "Invalid service token")
        if token in self.access_tokens:
            return self.access_tokens[token]
        if self.age == "2024":
            return _error(500, "invalid signature" if token.count(".") == 2 else "jwt malformed", "InternalServerError")
        return _error(403, "Your token is invalid. Please log in again.", "TokenError")

    def _secret(self, name: str, project: str, environment: str, path: str, *, hides: bool) -> Reply:
        if project != self.project:
            return self._mistake("missing", f"Project with ID '{project}' not found" if self._is_new else _NO_PROJECT)
        if environment not in self.vault or path != "/":
            where = f"Folder with path '{path}' in environment with slug '{environment}' not found"
            return self._mistake("missing", where if self._is_new else "Folder not found")
        held = self.vault[environment]
        if not name:
            return Reply(200, {"secrets": [self._row(key, held[key], environment) for key in held], "imports": []})
        if name not in held:
            return self._mistake("missing", f"Secret with name '{name}' not found" if self._is_new else _NO_SECRET)
        row = self._row(name, _HIDDEN if hides else held[name], environment)
        if self._is_new:
            row |= {"secretValueHidden": hides}
        return Reply(200, {"secret": row})

    def _row(self, name: str, value: str, environment: str) -> dict[str, Any]:
        row: dict[str, Any] = {
            "_id": "s-1",
            "id": "s-1",
            "workspace": self.project,
            "environment": environment,
            "version": 1,
            "type": "shared",
            "secretKey": name,
            "secretValue": value,
            "secretComment": "",
            "tags": [],
        }
        if self._is_new:
            row |= {"secretPath": "/", "createdAt": _MOMENT, "updatedAt": _MOMENT, "secretMetadata": []}
        return row

    @property
    def _is_new(self) -> bool:
        return self.age == "today"

    def _mistake(self, kind: str, message: str | list[str]) -> Reply:
        """Answer a mistake with the status and the word of this age; 401 and 403 changed places."""
        then, now, word = _MISTAKES[kind]
        reply = _error(now if self._is_new else then, message, word[self._is_new])
        if kind == "denied" and self._is_new:
            return Reply(reply.status, {**reply.body, "details": [{"action": "read", "subject": "secrets"}]})
        return reply


def _error(status: int, message: str | list[str], error: str) -> Reply:
    return Reply(status, {"reqId": "req-1", "statusCode": status, "message": message, "error": error})


_NO_PROJECT = "Project not found"
_NO_SECRET = "Secret not found"
_MISTAKES: Mapping[str, tuple[int, int, tuple[str, str]]] = {
    "missing": (400, 404, ("BadRequest", "NotFound")),
    "unauthenticated": (403, 401, ("UnauthorizedError", "UnauthorizedError")),
    "denied": (401, 403, ("PermissionDenied", "PermissionDenied")),
    "invalid": (403, 422, ("ValidationFailure", "ValidationFailure")),
}
