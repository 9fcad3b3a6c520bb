"""Run code in a session's sandbox, follow its output, pause, resume, and find the files still there."""

import anyio

from cerver_core.connect import connect
from cerver_core.wire.computes import ExecFinished, ExecOutput, ExecRequest
from cerver_core.wire.sessions import CreateSession


async def main() -> None:
    """Write a file in one run, read it in another after a pause."""
    async with connect() as cerver:
        session = await cerver.sessions.create(CreateSession(session_name="worker"))
        request = ExecRequest(code="echo working; echo 42 > answer")
        async with cerver.computes.exec_stream(session.session_id, request) as events:
            async for event in events:
                if isinstance(event, ExecOutput):
                    print(f"{event.stream}: {event.text}", end="")
                elif isinstance(event, ExecFinished):
                    print(f"exit code {event.result.exit_code}")
        await cerver.sessions.pause(session.session_id)
        await cerver.sessions.resume(session.session_id)
        code = "print('the answer is', open('answer').read().strip())"
        result = await cerver.computes.exec(session.session_id, ExecRequest(code=code, runtime="python"))
        print(result.stdout, end="")
        await cerver.sessions.terminate(session.session_id)


if __name__ == "__main__":
    anyio.run(main)
