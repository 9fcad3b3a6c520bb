"""Nobody learns that another's things exist: every operation of the HTTP map is asked with others' ids and keys."""

import io
import json
import re
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic_core import PydanticUndefined

from cerver_core.api.rights import OF_ALL, PUBLIC
from cerver_core.gateway.examples import EXAMPLES, Example
from cerver_core.gateway.routes import HANDLERS
from cerver_core.wire.operations import JSON, OPERATIONS, Operation
from tests.gateway.roads import Running, gateway
from tests.hosting.served import CANARY, Town, town

_PLACES = re.compile(r"{(\w+)}")
_OPERATORS = {name for name in OPERATIONS if name.startswith("admin.")}


@dataclass
class Street:
    running: Running
    town: Town
    http: httpx2.AsyncClient

    async def ask(self, operation: Operation, key: str | None, **more: Any) -> httpx2.Response:
        """Ask an operation as its example does, with Ann's ids wherever it names one."""
        headers = {} if key is None else {"Authorization": f"Bearer {self.town.keys[key]}"}
        headers |= more.pop("headers", {})
        path = _PLACES.sub(lambda place: self.town.names.get(place[1], "no-such-thing"), operation.path)
        content, media = _body(operation)
        if media is not None:
            headers["Content-Type"] = media
        return await self.http.request(
            operation.method, self.running.url + path, params=_query(operation), content=content, headers=headers
        )

    def unasked(self, response: httpx2.Response) -> str:
        """Give an answer without the names that were asked for: to be told one's own words tells nothing."""
        told = response.text
        for place in self.town.names.values():
            told = told.replace(place, "")
        return told


def _query(operation: Operation) -> Mapping[str, str]:
    if operation.query is None:
        return {}
    fields = operation.query.model_fields
    return {name: "x" for name, field in fields.items() if field.default is PydanticUndefined}


def _unreadable(operation: Operation) -> set[int]:
    """Let a body be refused first where there is no example of a good one; that every body has one is tested apart."""
    return {400} if operation.body is not None and operation.name not in EXAMPLES else set()


def _body(operation: Operation) -> tuple[bytes | None, str | None]:
    if operation.body_media is None:
        return None, None
    if operation.body_media == JSON:
        return json.dumps(EXAMPLES.get(operation.name, Example()).request or {}).encode(), JSON
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w").close()
    return archive.getvalue(), operation.body_media


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    told = Town()
    async with gateway(partial(town, tmp_path, told)) as running, httpx2.AsyncClient(timeout=20) as http:
        yield Street(running, told, http)


_KEYED = [OPERATIONS[name] for name in HANDLERS if not OPERATIONS[name].is_open]
_NAMING = [operation for operation in _KEYED if _PLACES.search(operation.path)]


async def test_every_operation_is_served() -> None:
    assert set(OPERATIONS) - set(HANDLERS) == set()


async def test_without_a_key_everything_that_wants_one_answers_the_same_401(street: Street) -> None:
    bodies: set[bytes] = set()
    for operation in (one for one in _KEYED if not one.needs_no_key):
        response = await street.ask(operation, None)
        assert response.status_code == 401, operation.name
        assert response.headers["www-authenticate"].startswith("Bearer"), operation.name
        bodies.add(response.content)
    assert len(bodies) == 1


@pytest.mark.parametrize("who", ["bob", "bob's project", "ann's other project"])
async def test_another_s_ids_are_not_found_whatever_is_asked_of_them(street: Street, who: str) -> None:
    found: dict[str, int] = {}
    for operation in _NAMING:
        response = await street.ask(operation, who)
        allowed = {403} if operation.name in _OPERATORS else {404}
        if who != "bob" and operation.name.startswith("vaults."):
            allowed = {403}
        if response.status_code not in allowed | _unreadable(operation):
            found[operation.name] = response.status_code
        assert CANARY not in street.unasked(response), operation.name
    assert found == {}


async def test_an_unknown_id_and_another_s_are_answered_alike(street: Street) -> None:
    for operation in _NAMING:
        if "{session_id}" not in operation.path:
            continue
        theirs = await street.ask(operation, "bob")
        known = street.town.names["session_id"]
        street.town.names["session_id"] = "00000000-0000-4000-8000-000000000000"
        nobody_s = await street.ask(operation, "bob")
        street.town.names["session_id"] = known
        assert theirs.text.replace(known, "ID") == nobody_s.text.replace("00000000-0000-4000-8000-000000000000", "ID")


async def test_lists_and_searches_of_others_hold_nothing_of_hers(street: Street) -> None:
    for who in ("bob", "bob's project", "ann's other project"):
        for operation in _KEYED:
            if operation.method != "GET" or _PLACES.search(operation.path):
                continue
            response = await street.ask(operation, who)
            text = response.text
            if who.startswith("ann"):  # her own address is hers
                text = text.replace(f"{CANARY}@example.com", "")
            assert CANARY not in text, (who, operation.name)
    for query in ("zebra", CANARY):
        url = f"{street.running.url}/v2/search?query={query}"
        headers = {"Authorization": f"Bearer {street.town.keys['bob']}"}
        assert (await street.http.get(url, headers=headers)).json()["sessions"] == []


async def test_a_key_s_scopes_are_kept_to_by_every_operation(street: Street) -> None:
    for operation in _KEYED:
        for who, held in (("ann reads", {"read"}), ("ann writes", {"read", "write"})):
            if operation.scope in held or operation.name in OF_ALL:
                continue
            response = await street.ask(operation, who)
            assert response.status_code == 403, (who, operation.name)
            assert response.json()["code"] == "forbidden"


async def test_a_key_that_may_only_read_can_end_itself_and_no_other(street: Street) -> None:
    headers = {"Authorization": f"Bearer {street.town.keys['ann reads']}"}
    keys = f"{street.running.url}/v2/auth/keys"
    own = "_".join(street.town.keys["ann reads"].split("_")[:2])
    others = street.town.names["key"]
    assert (await street.http.delete(f"{keys}/{others}", headers=headers)).status_code == 403
    assert (await street.http.delete(f"{keys}/{own}", headers=headers)).status_code == 204
    assert (await street.http.get(keys, headers=headers)).status_code == 401


async def test_a_publishable_key_opens_conversations_from_its_page_and_does_nothing_else(street: Street) -> None:
    for operation in _KEYED:
        for origin in ("https://ann.example", "https://evil.example", "null", None):
            headers = {} if origin is None else {"Origin": origin}
            response = await street.ask(operation, "ann's page", headers=headers)
            allowed = operation.name in PUBLIC and origin == "https://ann.example"
            assert (response.status_code == 403) is not allowed, (operation.name, origin)


async def test_only_the_operator_sees_accounts(street: Street) -> None:
    for name in sorted(_OPERATORS):
        response = await street.ask(OPERATIONS[name], "ann")
        assert (response.status_code, "Operator access" in response.json()["error"]) == (403, True), name
    rows = (await street.ask(OPERATIONS["admin.usage"], "operator")).json()
    assert {row["account_id"] for row in rows} >= set(street.town.accounts.values())


async def test_after_all_that_was_asked_hers_is_as_it_was(street: Street) -> None:
    headers = {"Authorization": f"Bearer {street.town.keys['ann']}"}
    reads = [operation for operation in _NAMING if operation.method == "GET" and "files" not in operation.path]

    async def seen() -> list[object]:
        told = [await street.ask(operation, "ann") for operation in reads if not operation.streams]
        listed = await street.http.get(f"{street.running.url}/v2/auth/keys", headers=headers)
        keys = sorted(key["prefix"] for key in listed.json()["keys"])
        return [*[one.json().get("transcript", one.status_code) for one in told], keys]

    before = await seen()
    for operation in _NAMING:
        for who in ("bob", "ann's other project"):
            await street.ask(operation, who)
    assert await seen() == before
