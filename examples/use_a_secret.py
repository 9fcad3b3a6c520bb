"""Give a run a secret by name: the code has it, and nobody else ever sees it."""

import os

import anyio

from cerver_core.connect import connect
from cerver_core.wire.computes import ExecRequest
from cerver_core.wire.sessions import CreateSession


async def main() -> None:
    """Let code print a secret, and see that it does not come back."""
    os.environ["DEMO_TOKEN"] = "tok-4f1d9a7c20"
    async with connect() as cerver:
        session = await cerver.sessions.create(CreateSession())
        request = ExecRequest(code='echo "length ${#DEMO_TOKEN}"; echo "value $DEMO_TOKEN"', secrets=("DEMO_TOKEN",))
        result = await cerver.computes.exec(session.session_id, request)
        print(result.stdout, end="")


if __name__ == "__main__":
    anyio.run(main)
