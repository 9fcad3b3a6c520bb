"""The tool that hands out one secret; the value is in its answer and nowhere else."""

from cerver_core.config import Settings
from cerver_core.plugins import secret_backend
from cerver_core.secrets.base import Secret
from cerver_mcp.tools.base import Args, Call, Record, Tool, hints, record_schema

__all__ = ["SECRET_FETCH", "fetch"]


class SecretArgs(Args):
    """Which secret."""

    name: str


async def fetch(name: str) -> Secret:
    """Fetch one secret by its exact name from the backend that the environment names now; nothing is cached.

    Raises:
        SecretError: a ValueError; it is missing, reserved, refused, or the backend is unknown, incomplete or away.
    """
    async with secret_backend(Settings.from_environ()) as backend:
        return await backend.fetch(name)


async def _secret_fetch(call: Call, args: SecretArgs) -> Record:
    secret = await fetch(args.name)
    call.known.remember(secret.name, secret.value)
    return {"name": secret.name, "value": secret.value, "source": secret.source}


SECRET_FETCH = Tool(
    name="secret_fetch",
    about="Fetch one secret by exact name. Your client logs it; cerver_run(secrets=[name]) never shows it.",
    args=SecretArgs,
    run=_secret_fetch,
    annotations=hints(reads=True),
    output=record_schema(name="string", value="string", source="string"),
    always_load=True,
)
