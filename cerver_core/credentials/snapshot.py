"""Makes `rules.json` of what betterleaks prints of its rules; run by hand, see the package's docstring.

It takes the rules that tell a credential by its own look or by its vendor's name beside it, and leaves out those for
names and addresses that are no secrets, for files of one kind, and the generic ones, which find too much in code.
"""

import json
import re
import re._parser as parser  # it alone tells how long a match can be
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from cerver_core.credentials.patterns import to_python
from cerver_core.credentials.rules import FARTHEST_REACH

__all__ = ["main", "snapshot"]

RULES_FILE = Path(__file__).with_name("rules.json")

_ENTROPY = re.compile(r'entropy\(finding\["secret"\]\) <=? ([\d.]+)')
_MATCHES = re.compile(r'(!?)matchesAny\(finding\["secret"\], \[(.*?)\]\)(?:\s|$)', re.DOTALL)
_TEXTS = re.compile(r'`([^`]*)`|"((?:[^"\\]|\\.)*)"')

_OURS = {
    "curl-auth-header": "authorization-header",
    "curl-auth-user": "curl-user",
    "generic-credential-uri": "uri-password",
    "mongodb-connection-string": "uri-password",
    "private-key": "private-key",
}
"""Rules that `supplement.py` has in another form: of a whole match it masks the secret alone, and it is bounded."""

_GENERIC = frozenset({"generic-api-key", "generic-password", "generic-username"})


def snapshot(document: str, version: str, licence: str) -> dict[str, Any]:
    """Read the rules as TOML and write what a detector needs of them.

    Raises:
        ValueError: a pattern uses something that is not translated.
    """
    rules = tomllib.loads(document)["rules"]
    kept = [_rule(rule) for rule in rules if _is_taken(rule)]
    return {"source": "betterleaks", "version": version, "licence": licence.strip(), "rules": kept}


def _is_taken(rule: Mapping[str, Any]) -> bool:
    if rule["id"] in _GENERIC or rule["id"] in _OURS or "path" in rule:
        return False
    return "regex" in rule and bool(rule.get("keywords")) and not rule.get("skipReport")


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    filters = rule.get("filter", "")
    entropy = _ENTROPY.search(filters)
    matches = list(_matches(filters))
    kept: dict[str, Any] = {
        "kind": re.sub(r"\.\d+$", "", rule["id"]),
        "pattern": rule["regex"],
        "keywords": sorted(keyword.lower() for keyword in rule["keywords"]),
        "entropy": float(entropy[1]) if entropy else 0.0,
        "group": rule.get("valueGroup"),
        "is_worded": "tokenRatio" in filters,
        "refused": [text for is_needed, text in matches if not is_needed],
        "needed": [text for is_needed, text in matches if is_needed],
        "reach": min(_longest(rule["regex"]), FARTHEST_REACH),
    }
    for pattern in (kept["pattern"], *kept["refused"], *kept["needed"]):
        re.compile(to_python(pattern), re.ASCII)
    return {name: value for name, value in kept.items() if value not in (None, False, [], 0.0)}


def _longest(pattern: str) -> int:
    parse = cast("Callable[[str, int], Any]", parser.parse)  # pyright: ignore[reportUnknownMemberType]
    return parse(to_python(pattern), re.ASCII).getwidth()[1]


def _matches(filters: str) -> Iterator[tuple[bool, str]]:
    for found in _MATCHES.finditer(filters):
        for raw, quoted in _TEXTS.findall(found[2]):
            yield found[1] == "!", raw or json.loads(f'"{quoted}"')


def main() -> None:
    """Read the rules from standard input; the arguments are the version and the file of the licence."""
    version, licence = sys.argv[1:]
    rules = snapshot(sys.stdin.read(), version, Path(licence).read_text(encoding="utf-8"))
    RULES_FILE.write_text(json.dumps(rules, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
