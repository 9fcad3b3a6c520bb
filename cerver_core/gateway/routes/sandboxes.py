"""The raw sandbox layer, over HTTP: sandboxes are sessions, spoken of in the words of the oldest clients."""

import base64
import binascii
import contextlib
import json
from collections.abc import Mapping

import anyio
from pydantic import JsonValue, TypeAdapter, ValidationError

from cerver_core.errors import FileMissing, InvalidInput, NotSupported
from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.gateway.streams import ExecAnswer, while_connected
from cerver_core.wire.computes import ComputeChoice, ExecRequest, ExecResult, InstallRequest, Requirements, WriteFile
from cerver_core.wire.sandboxes import (
    CreateSandbox,
    Installed,
    InstallPackage,
    Lifetime,
    ListSandboxes,
    Port,
    RunSandbox,
    Sandbox,
    SandboxCreated,
    SandboxDone,
    SandboxFile,
    SandboxFiles,
    SandboxList,
    SandboxRan,
    TakeFile,
    WriteSandboxFile,
)
from cerver_core.wire.sessions import CreateSession, ListSessions, SessionRecord

__all__ = ["HANDLERS"]

_SOURCE = "sandbox"
"""What `metadata.source` says of sessions that were made here."""

_ENVIRONMENT = ".cerver-environment.json"
"""Where a sandbox keeps the variables that it was made with: in itself, so that no store ever holds them."""

_ENVIRONMENT_FLAG = "has_environment"
_REMOVE_S = 30.0
_MOST_ENVIRONMENT_BYTES = 1024 * 1024
_VARIABLES = TypeAdapter(dict[str, str])


async def _create(call: Call) -> Answer:
    asked = call.body(CreateSandbox)
    metadata: dict[str, JsonValue] = {**asked.metadata, "source": _SOURCE}
    if asked.envs:
        metadata[_ENVIRONMENT_FLAG] = True
    fields: dict[str, object] = {"metadata": metadata, "requirements": Requirements(runtime=asked.runtime)}
    if asked.provider is not None:
        fields["compute"] = ComputeChoice(provider=asked.provider)
    made = await call.cerver.sessions.create(CreateSession.model_validate(fields))
    try:
        await _prepare(call, made.session_id, asked)
    except BaseException:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_REMOVE_S):
            await call.cerver.sessions.terminate(made.session_id, delete_workspace=True)
        raise
    return SandboxCreated(sandbox_id=made.session_id, provider=made.provider, status=made.status)


async def _prepare(call: Call, session_id: str, asked: CreateSandbox) -> None:
    if asked.envs:
        content = json.dumps(dict(asked.envs)).encode()
        await call.cerver.files.write(session_id, WriteFile(path=_ENVIRONMENT, content=content))
    if asked.timeout is not None:
        # Where no end can be set, it lives until it is deleted, which the document says.
        with contextlib.suppress(NotSupported):
            await call.cerver.computes.set_lifetime(session_id, Lifetime(timeout=asked.timeout))


async def _list(call: Call) -> Answer:
    limit = call.query(ListSandboxes).limit
    found: list[Sandbox] = []
    for status in ("running", "idle"):
        page = await call.cerver.sessions.list(ListSessions(source=_SOURCE, status=status, limit=limit))
        found += [_shown(record) for record in page.sessions]
    found.sort(key=lambda sandbox: sandbox.updated_at, reverse=True)
    return SandboxList(sandboxes=tuple(found[:limit]))


async def _get(call: Call) -> Answer:
    return _shown(await call.cerver.sessions.get(call.session_id))


async def _delete(call: Call) -> Answer:
    await call.cerver.sessions.terminate(call.session_id, delete_workspace=True)
    return SandboxDone(sandbox_id=call.session_id)


async def _run(call: Call) -> Answer:
    request = await _request(call)
    result = await while_connected(call, lambda: call.cerver.computes.exec(call.session_id, request))
    return SandboxRan(
        output=result.stdout, error=_error(result), exit_code=result.exit_code, duration=result.duration_ms / 1000
    )


async def _run_stream(call: Call) -> Answer:
    return ExecAnswer(call, call.cerver.computes.exec_stream(call.session_id, await _request(call)))


async def _install(call: Call) -> Answer:
    asked = call.body(InstallPackage)
    request = InstallRequest(packages=(asked.package,), installer=asked.installer)
    result = await while_connected(call, lambda: call.cerver.computes.install(call.session_id, request))
    return Installed(success=result.exit_code == 0, output=result.stdout, error=_error(result))


async def _write_file(call: Call) -> Answer:
    asked = call.body(WriteSandboxFile)
    try:
        content = base64.b64decode(asked.content, validate=True) if asked.encoding == "base64" else None
    except binascii.Error as error:
        raise InvalidInput("content is not base64, which encoding says that it is") from error
    written = asked.content.encode() if content is None else content
    await call.cerver.files.write(call.session_id, WriteFile(path=asked.path, content=written))
    return SandboxDone(sandbox_id=call.session_id)


async def _files(call: Call) -> Answer:
    asked = call.query(TakeFile)
    if asked.path is None:
        listed = await call.cerver.files.list(call.session_id, recursive=True)
        entries = [SandboxFile(path=it.path, kind=it.kind, size_bytes=it.size_bytes) for it in listed.entries]
        return SandboxFiles(files=tuple(it for it in entries if it.path != _ENVIRONMENT), truncated=listed.truncated)
    most = min(call.serving.limits.file_bytes, call.serving.limits.page_bytes)
    content = await call.cerver.files.read(call.session_id, asked.path, max_bytes=most)
    text = _text(content) if asked.encoding == "utf-8" else None
    told = base64.b64encode(content).decode() if text is None else text
    encoding = "utf-8" if text is not None else "base64"
    one = SandboxFile(path=asked.path, size_bytes=len(content))
    return SandboxFiles(files=(one,), path=asked.path, content=told, encoding=encoding)


async def _set_lifetime(call: Call) -> Answer:
    await call.cerver.computes.set_lifetime(call.session_id, call.body(Lifetime))
    return SandboxDone(sandbox_id=call.session_id)


async def _host(call: Call) -> Answer:
    # A session of somebody else is not there, whatever else is wrong with the question.
    await call.cerver.sessions.get(call.session_id)
    return await call.cerver.computes.host(call.session_id, call.query(Port))


async def _request(call: Call) -> ExecRequest:
    asked = call.body(RunSandbox)
    env = {**await _environment(call), **asked.envs}
    return ExecRequest.model_validate(
        {"code": asked.code, "timeout_s": asked.timeout, "env": env, "runtime": asked.runtime}
    )


async def _environment(call: Call) -> Mapping[str, str]:
    """Give the variables that the sandbox was made with; a run that removed or broke their file has none."""
    record = await call.cerver.sessions.get(call.session_id)
    if record.metadata.get(_ENVIRONMENT_FLAG) is not True:
        return {}
    try:
        kept = await call.cerver.files.read(call.session_id, _ENVIRONMENT, max_bytes=_MOST_ENVIRONMENT_BYTES)
        return _VARIABLES.validate_json(kept)
    except (FileMissing, ValidationError):
        return {}


def _shown(record: SessionRecord) -> Sandbox:
    return Sandbox(
        sandbox_id=record.session_id,
        status=record.status,
        provider=record.provider,
        created_at=record.created_at,
        updated_at=record.updated_at,
        metadata={key: value for key, value in record.metadata.items() if key != _ENVIRONMENT_FLAG},
    )


def _error(result: ExecResult) -> str:
    if not result.timed_out:
        return result.stderr
    break_ = "" if not result.stderr or result.stderr.endswith("\n") else "\n"
    return f"{result.stderr}{break_}Execution timed out after {result.duration_ms / 1000:.1f} seconds"


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


HANDLERS: Mapping[str, Handler] = {
    "sandboxes.create": _create,
    "sandboxes.list": _list,
    "sandboxes.get": _get,
    "sandboxes.delete": _delete,
    "sandboxes.run": _run,
    "sandboxes.run_stream": _run_stream,
    "sandboxes.install": _install,
    "sandboxes.write_file": _write_file,
    "sandboxes.files": _files,
    "computes.set_lifetime": _set_lifetime,
    "computes.host": _host,
}
