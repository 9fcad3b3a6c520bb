"""Rules of ours for what the snapshot leaves out: passwords in addresses and settings, headers, and private keys.

Their secrets may be short, so that only their keywords tell where to look.
"""

from cerver_core.credentials.rules import Rule

__all__ = ["SUPPLEMENT"]

_WORD = r"(?:test|demo|my|the|db|user|admin|root|some|new|old|default|app|api|auth|access)"
_NAME = r"pass(?:word|wd|phrase)?|pwd?|pw|secret|token|key|credentials?|user(?:name)?"
_NO_PASSWORD = (
    rf"(?i)^{_WORD}?[_-]?(?:{_NAME}|foo|bar|baz|test)[0-9]{{0,4}}[!?.]?$",
    r"^[$%{<\[(\\*#]|[$][{(]|[{}<>]",
)
_URI = (
    r"(?i)\b[a-z][a-z0-9+.-]{1,30}://[^\s:/?#@'\x22\x60<>\\]{0,128}:([^\s/@'\x22\x60<>\\]{3,256})@"
    r"(?:[a-z0-9_-]{2,}|[a-z0-9]|\[)"
)
_HEADER = (
    r"(?i)\b(?:authorization|x-api-key|api-key|x-auth-token)['\x22]?\s{0,3}[:=]\s{0,3}f?b?['\x22]?"
    r"(?:(?:bearer|basic|token)\s{1,3})?([a-z0-9_~+/.=-]{16,4096})"
)
_BEARER = r"(?i)\bbearer[ \t]{1,3}([a-z0-9_~+/.-]{20,4096}={0,2})"
_CURL = r"\bcurl\b[^\n]{0,400}?\s(?:-u|--user)[ =]?['\x22]?[^\s:'\x22]{1,64}:([^\s'\x22]{4,128})"
_SETTING = r"(?i)=[^;\n'\x22]{1,62};\s?(?:password|pwd)\s?=\s?([^;\s'\x22]{4,128})"
_KEY_BLOCK = (
    r"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"((?:[A-Za-z0-9+/=,:. \t\r\n\\]|-(?!-)){40,}?)(?:-----END|$|[^A-Za-z0-9+/=,:. \t\r\n\\-])"
)

SUPPLEMENT = (
    Rule("private-key", _KEY_BLOCK, ("private key",), entropy=3.0),
    Rule("uri-password", _URI, ("://",), entropy=1.0, refused=_NO_PASSWORD, reach=600),
    Rule("authorization-header", _HEADER, ("authorization", "api-key", "x-auth-token"), entropy=3.2, is_worded=True),
    Rule("bearer-token", _BEARER, ("bearer",), entropy=3.4, is_worded=True),
    Rule("curl-user", _CURL, ("curl",), entropy=2.0, refused=_NO_PASSWORD, reach=700),
    Rule("connection-string-password", _SETTING, ("password", "pwd"), entropy=2.0, refused=_NO_PASSWORD, reach=150),
)
