"""A client that subscribed to a session hears of what others append to it, whichever process they are in."""

from collections.abc import Callable
from typing import Any

import anyio
from mcp import Client
from mcp.shared.subscriptions import ResourceUpdated

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from tests.mcp.conftest import Pipe

HELLO = AppendEntries(entries=(NewEntry(role="user", content="hello"),))


async def test_a_client_of_the_handshake_era_hears_of_another_process_s_entries(
    start: Callable[..., Pipe], environ: dict[str, str]
) -> None:
    pipe = start()
    assert pipe.handshake()["result"]["capabilities"]["resources"]["subscribe"] is True
    async with connect(Settings.from_environ(environ)) as cerver:
        session_id = (await cerver.sessions.create(CreateSession(compute=None))).session_id
        uri = f"cerver://sessions/{session_id}"
        assert "error" not in pipe.ask(1, "resources/subscribe", {"uri": uri})
        await cerver.transcripts.append(session_id, HELLO)
        told = await anyio.to_thread.run_sync(pipe.next)
        assert (told["method"], told["params"]) == ("notifications/resources/updated", {"uri": uri})
        pipe.send({"jsonrpc": "2.0", "id": 2, "method": "resources/unsubscribe", "params": {"uri": uri}})
        assert (await anyio.to_thread.run_sync(pipe.next))["id"] == 2
        await cerver.transcripts.append(session_id, HELLO)
        assert pipe.ask(3, "resources/read", {"uri": uri})["id"] == 3


async def test_a_client_of_the_newer_era_listens_to_a_stream(
    client: Callable[..., Any], environ: dict[str, str]
) -> None:
    opened: Client
    async with client() as opened, connect(Settings.from_environ(environ)) as cerver:
        session_id = (await cerver.sessions.create(CreateSession(compute=None, session_name="one"))).session_id
        uri = "cerver://sessions/one"
        with anyio.fail_after(30):
            async with opened.listen(resource_subscriptions=[uri, "cerver://sessions/absent"]) as events:
                assert "one" in str(await opened.read_resource(uri))
                async with anyio.create_task_group() as tasks:

                    async def keep_appending() -> None:
                        while True:
                            await cerver.transcripts.append(session_id, HELLO)
                            await anyio.sleep(0.2)

                    tasks.start_soon(keep_appending)
                    assert await anext(events) == ResourceUpdated(uri=uri)
                    tasks.cancel_scope.cancel()


def test_what_is_no_session_cannot_be_subscribed_to(start: Callable[..., Pipe]) -> None:
    pipe = start()
    pipe.handshake()
    for uri in ("cerver://sessions", "cerver://nothing", "cerver://sessions/absent"):
        error = pipe.ask(uri, "resources/subscribe", {"uri": uri})["error"]
        assert (error["code"], error["data"]) == (-32602, {"uri": uri})
        assert "not_found: " in error["message"]
