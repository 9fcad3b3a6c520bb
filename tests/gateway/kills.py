"""Two `cerver serve` processes under load that are killed again and again, and what must be true of it afterwards.

`python -m tests.gateway.kills 180` does it for so many seconds and prints the counts.
"""

import json
import secrets
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2

from cerver_core.testing.postgres import PostgresServer, postgres_programs
from tests.gateway.processes import CERVER, Served, environment, serving

__all__ = ["Load", "loaded"]

_TASKS = 12
_PAGE = 1_000
_LIMIT_S = 60
_BACK_OFF_S = 0.05
_EVERY_S = 4.0
_TRY_AGAIN = frozenset({503, 504})


class _Replica:
    """One gateway, which comes back under the address that it had."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        home.mkdir()
        self._home = home
        self._environ = environment(home, **settings)
        self._opened: AbstractContextManager[Served] | None = None
        self._served: Served | None = None
        self.url = ""
        self.token = ""

    def start(self) -> None:
        command = (CERVER, "serve", "--port", self.url.rpartition(":")[2] or "0")
        self._opened = serving(self._home, command=command, environ=self._environ)
        self._served = self._opened.__enter__()
        self.url = self._served.url
        self.token = self.token or self._served.token

    def end(self, *, kill: bool) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and self._served is not None:
            if kill:
                self._served.process.kill()
            opened.__exit__(None, None, None)


@dataclass
class Load:
    """What goes on, and what was acknowledged: text by seq of each entry that a gateway said it had taken."""

    server: PostgresServer
    replicas: tuple[_Replica, _Replica]
    session_id: str = ""
    acknowledged: dict[int, str] = field(default_factory=dict[int, str])
    followed: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    counts: Counter[str] = field(default_factory=Counter[str])
    unexpected: list[str] = field(default_factory=list[str])
    is_over: bool = False

    async def kill(self, number: int) -> None:
        """Kill one of the two with signal 9."""
        await anyio.to_thread.run_sync(partial(self.replicas[number].end, kill=True))
        self.counts["kills"] += 1

    async def start(self, number: int) -> None:
        """Start it again."""
        await anyio.to_thread.run_sync(self.replicas[number].start)

    async def restart_database(self) -> None:
        """Stop Postgres as a crash would, and start it again."""
        await anyio.to_thread.run_sync(self.server.stop, "immediate")
        await anyio.to_thread.run_sync(self.server.start)
        self.counts["restarts of Postgres"] += 1

    async def grown(self, by: int) -> None:
        """Wait until so many more entries were acknowledged."""
        target = len(self.acknowledged) + by
        with anyio.fail_after(_LIMIT_S):
            while len(self.acknowledged) < target:  # noqa: ASYNC110 - the writers tell nobody
                await anyio.sleep(0.01)

    async def transcript(self) -> dict[int, str]:
        """Read all of it, and see that it is numbered from 1 without a gap."""
        texts: dict[int, str] = {}
        async with self._asking(0) as http:
            while True:
                query = {"since": len(texts), "limit": _PAGE}
                entries = (await http.get(f"/v2/sessions/{self.session_id}", params=query)).json()["transcript"]
                for entry in entries:
                    assert entry["seq"] == len(texts) + 1
                    texts[entry["seq"]] = entry["content"]
                if len(entries) < _PAGE:
                    return texts

    async def check(self) -> None:
        """See that every acknowledged entry is there once, in its place, and that the follower saw all of them."""
        texts = await self.transcript()
        assert self.unexpected == []
        assert {seq: texts.get(seq) for seq in self.acknowledged} == self.acknowledged
        assert len(set(texts.values())) == len(texts)
        assert self.followed == list(texts.items())[: len(self.followed)]
        assert len(self.followed) >= len(self.acknowledged)
        self.counts |= {"acknowledged": len(self.acknowledged), "in the transcript": len(texts)}
        self.counts["followed live"] = len(self.followed)

    async def open(self) -> None:
        """Start both gateways and make the session."""
        for replica in self.replicas:
            await anyio.to_thread.run_sync(replica.start)
        async with self._asking(0) as http:
            made = await http.post("/v2/sessions", json={"compute": None})
            self.session_id = made.json()["session_id"]

    async def write(self, task: int) -> None:
        """Append one entry after the other; where something fails, go on at the other gateway.

        Every second task gives its entries ids and repeats each until it is acknowledged.
        """
        has_ids = task % 2 == 0
        turn, number = task // 2, 0
        while not self.is_over:
            async with self._asking(turn) as http:
                while not self.is_over:
                    text = f"{task}.{number}"
                    seq = await self._append(http, {"content": text, **({"id": text} if has_ids else {})})
                    if seq is not None:
                        self.acknowledged[seq] = text
                    if seq is not None or not has_ids:
                        number += 1
                    if seq is None:
                        break
            turn += 1
            await anyio.sleep(_BACK_OFF_S)

    async def _append(self, http: httpx2.AsyncClient, entry: dict[str, str]) -> int | None:
        """Give the entry's seq; null when it is not known whether it was taken."""
        body = {"entries": [{"role": "user", **entry}]}
        try:
            answer = await http.post(f"/v2/sessions/{self.session_id}/transcript", json=body)
        except httpx2.TransportError:
            self.counts["broken connections"] += 1
            return None
        if answer.is_success:
            return answer.json()["seqs"][0]
        self.counts[f"answers {answer.status_code}"] += 1
        if answer.status_code not in _TRY_AGAIN or "Traceback" in answer.text:
            self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
        return None

    async def follow(self) -> None:
        """Follow the transcript live, at the other gateway whenever one breaks off."""
        turn = 0
        while True:
            turn += 1
            headers = {"Last-Event-ID": str(len(self.followed))}
            with suppress(httpx2.TransportError):
                async with (
                    self._asking(turn) as http,
                    http.stream("GET", f"/v2/sessions/{self.session_id}/events", headers=headers) as answer,
                ):
                    async for line in answer.aiter_lines():
                        if line.startswith('data: {"seq"'):
                            entry = json.loads(line.removeprefix("data: "))
                            self.followed.append((entry["seq"], entry["content"]))
            self.counts["times a follower moved on"] += 1
            await anyio.sleep(_BACK_OFF_S)

    async def caught_up(self) -> None:
        """Wait until the follower has seen all that was acknowledged."""
        with anyio.fail_after(_LIMIT_S):
            while len(self.followed) < max(self.acknowledged):  # noqa: ASYNC110 - the follower tells nobody
                await anyio.sleep(0.01)

    def _asking(self, turn: int) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {self.replicas[0].token}"}
        return httpx2.AsyncClient(base_url=self.replicas[turn % 2].url, headers=headers, timeout=_LIMIT_S)


@asynccontextmanager
async def loaded(home: Path) -> AsyncGenerator[Load]:
    """Give two gateways under load; when the block is left the load ends, and what must be true then is checked."""
    with PostgresServer(postgres_programs()[0], durable=True) as server:
        master_key = b64encode(secrets.token_bytes(32)).decode()
        settings = {"CERVER_DATABASE_URL": server.url(), "CERVER_MASTER_KEY": master_key}
        load = Load(server, (_Replica(home / "one", settings), _Replica(home / "other", settings)))
        try:
            await load.open()
            async with anyio.create_task_group() as following:
                following.start_soon(load.follow)
                async with anyio.create_task_group() as writing:
                    for task in range(_TASKS):
                        writing.start_soon(load.write, task)
                    yield load
                    load.is_over = True
                await load.caught_up()
                following.cancel_scope.cancel()
            await load.check()
        finally:
            for replica in load.replicas:
                replica.end(kill=True)


async def main(lasts_s: float) -> None:
    """Kill one of them every few seconds, and restart the database in the middle."""
    with tempfile.TemporaryDirectory(prefix="cerver-kills-") as home:
        async with loaded(Path(home)) as load:
            began = time.monotonic()
            while (passed_s := time.monotonic() - began) < lasts_s:
                number = load.counts["kills"] % 2
                await load.kill(number)
                await load.start(number)
                await load.grown(1)
                await anyio.sleep(_EVERY_S)
                if passed_s > lasts_s / 2 and not load.counts["restarts of Postgres"]:
                    await load.restart_database()
        for name, count in sorted(load.counts.items()):
            sys.stdout.write(f"{count:8,}  {name}\n")


if __name__ == "__main__":
    anyio.run(main, float(sys.argv[1]))
