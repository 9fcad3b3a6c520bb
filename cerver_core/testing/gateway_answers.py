"""What the stand-in gateway answers to each operation, written by hand from the wire contract."""

import io
import json
import tarfile
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

__all__ = ["ANSWERS", "Kept", "problem"]

_AT = "2026-11-22T10:02:03Z"
_METRICS = {"total_exec_count": 1, "engagement_label": "warming", "last_exec_latency_ms": 4.5}
Json = dict[str, Any]


@dataclass
class Kept:
    """What the stand-in remembers."""

    sessions: dict[str, Json] = field(default_factory=dict[str, Json])
    transcripts: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    folder: bytes = b""
    """The archive that a download gets; an upload replaces it."""
    events: list[str] | None = None
    """Frames of the next stream, in place of the usual ones; the stream then stays open until it is left."""
    left_early: threading.Event = field(default_factory=threading.Event)


def problem(code: str, text: str, **detail: object) -> Json:
    """Write the body of an error."""
    return {**detail, "error": text, "code": code}


def _envelope(session: Json, **more: object) -> Json:
    state = session["state"]
    return {
        "session_id": session["sessionId"],
        "session_name": session["sessionName"],
        "status": state,
        "provider": session["provider"],
        "compute_id": session["computeId"],
        "sandbox_id": None,
        "harness": session["harness"],
        "metrics": _METRICS,
        "newer_field": "ignored",
        **more,
    }


def _new_session(kept: Kept, asked: Json, parent: str | None = None) -> Json:
    session_id = str(uuid.uuid4())
    memory = "compute" in asked and asked["compute"] is None
    session: Json = {
        "sessionId": session_id,
        "sessionName": asked.get("session_name"),
        "status": "idle",
        "state": "ready",
        "createdAt": _AT,
        "updatedAt": _AT,
        "task": asked.get("task", ""),
        "harness": asked.get("harness"),
        "parentSessionId": parent,
        "provider": "none" if memory else "local",
        "computeId": None if memory else "comp_0123456789abcdef",
        "metadata": asked.get("metadata", {}),
        "messageCount": 0,
        "transcriptTotal": 0,
        "metrics": _METRICS,
    }
    kept.sessions[session_id] = session
    kept.transcripts[session_id] = []
    return session


async def _create(kept: Kept, request: Request) -> Response:
    return JSONResponse(_envelope(_new_session(kept, await _body(request))), 201)


async def _list(kept: Kept, request: Request) -> Response:
    query = request.query_params
    reference = query.get("reference")
    found = [
        session
        for session in reversed(kept.sessions.values())
        if (reference is None or session["sessionId"].startswith(reference) or session["sessionName"] == reference)
        and query.get("status") in {None, session["status"]}
    ]
    start, limit = int(query.get("cursor", 0)), int(query.get("limit", 20))
    more = start + limit < len(found)
    return JSONResponse({"sessions": found[start : start + limit], "next_cursor": str(start + limit) if more else None})


async def _get(kept: Kept, request: Request) -> Response:
    session = _session(kept, request)
    entries = kept.transcripts.get(request.path_params["session_id"], [])
    if session is None:
        return _no_session(request)
    query = request.query_params
    answer = {**session, "transcriptTotal": len(entries), "messageCount": len(entries)}
    if query:
        limit = int(query.get("tail", query.get("limit", 200)))
        since = int(query.get("since", 0))
        if "since" in query or "full" in query:
            answer["transcript"] = entries[since : since + limit]
        elif "around" in query:
            start = max(0, int(query["around"]) - 1 - limit // 2)
            answer["transcript"] = entries[start : start + limit]
        else:
            answer["transcript"] = entries[-limit:] if limit else []
    return JSONResponse(answer)


async def _update(kept: Kept, request: Request) -> Response:
    session = _session(kept, request)
    if session is None:
        return _no_session(request)
    session["metadata"] = {**session["metadata"], **(await _body(request))["metadata"]}
    return JSONResponse(session)


def _to_state(state: str, status: str) -> "Answer":
    async def answer(kept: Kept, request: Request) -> Response:
        session = _session(kept, request)
        if session is None:
            return _no_session(request)
        session.update(state=state, status=status)
        until = "deleted_by_hand" if state == "terminated" and "delete_workspace" not in request.query_params else None
        return JSONResponse(_envelope(session, workspace_kept_until=until))

    return answer


async def _spawn(kept: Kept, request: Request) -> Response:
    parent = request.path_params["session_id"]
    if parent not in kept.sessions:
        return _no_session(request)
    return JSONResponse(_envelope(_new_session(kept, await _body(request), parent), parent_session_id=parent), 201)


async def _attach(kept: Kept, request: Request) -> Response:
    session = kept.sessions[request.path_params["session_id"]]
    compute = (await _body(request)).get("compute")
    session.update(provider=compute["provider"] if compute else "none", computeId=None)
    return JSONResponse(_envelope(session))


async def _metrics(kept: Kept, request: Request) -> Response:
    session = kept.sessions[request.path_params["session_id"]]
    return JSONResponse(
        {"session_id": session["sessionId"], "provider": "local", "status": "ready", "metrics": _METRICS}
    )


async def _append(kept: Kept, request: Request) -> Response:
    session_id = request.path_params["session_id"]
    if session_id not in kept.sessions:
        return _no_session(request)
    body = await _body(request)
    entries = kept.transcripts[session_id]
    expected = body.get("expected_seq")
    if expected is not None and expected != len(entries):
        text = f"the transcript ends at {len(entries)}"
        return JSONResponse(problem("sequence_conflict", text, last_seq=len(entries)), 409)
    first = len(entries) + 1
    for seq, entry in enumerate(body["entries"], first):
        entries.append({"seq": seq, "at": _AT, **entry})
    seqs = list(range(first, len(entries) + 1))
    return JSONResponse({"session_id": session_id, "seqs": seqs, "added": len(seqs), "last_seq": len(entries)})


async def _export(kept: Kept, request: Request) -> Response:
    session_id, query = request.path_params["session_id"], request.query_params
    lines = [entry["content"] for entry in kept.transcripts[session_id][int(query.get("cursor", 0)) :]]
    return JSONResponse(
        {"session_id": session_id, "format": query.get("format", "text"), "text": "\n".join(lines), "next_cursor": None}
    )


async def _search(kept: Kept, request: Request) -> Response:
    word = request.query_params["query"]
    found = [
        {
            "session_id": session_id,
            "session_name": None,
            "title": entry["content"],
            "created_at": entry["at"],
            "updated_at": entry["at"],
            "entries": len(entries),
            "score": 1.0,
            "snippets": [
                {
                    "session_id": session_id,
                    "seq": entry["seq"],
                    "role": entry["role"],
                    "kind": "text",
                    "at": entry["at"],
                    "text": entry["content"].replace(word, f"**{word}**"),
                }
            ],
        }
        for session_id, entries in kept.transcripts.items()
        for entry in entries
        if word in entry["content"]
    ]
    return JSONResponse({"sessions": found, "indexed_up_to": "2026-05-03T10:00:00Z", "left_out": 0})


async def _digest(kept: Kept, request: Request) -> Response:
    asked = request.query_params.get("sessions", "")
    outlined = [
        {
            "session_id": session_id,
            "title": session_id,
            "status": "idle",
            "created_at": _AT,
            "updated_at": _AT,
            "entries": len(entries),
            "entries_read": len(entries),
            "last": [{"seq": one["seq"], "at": _AT, "role": "user", "text": one["content"]} for one in entries[-1:]],
        }
        for session_id, entries in kept.transcripts.items()
        if not asked or session_id in asked.split(",")
    ]
    return JSONResponse({"sessions": outlined, "more": False})


async def _import(kept: Kept, request: Request) -> Response:
    body = await _body(request)
    session = _new_session(kept, {"session_name": body.get("session_name"), "compute": None})
    return JSONResponse({"session_id": session["sessionId"], "entries": body["document"].count("\n") - 1}, 201)


async def _redact(kept: Kept, request: Request) -> Response:
    asked = await _body(request)
    report = {"dry_run": asked.get("dry_run", False), "sessions_read": len(kept.sessions), "entries_read": 0}
    return JSONResponse({**report, "kinds": {"text": len(asked["texts"])}})


async def _computes(kept: Kept, request: Request) -> Response:
    compute = {"compute_id": "comp_0123456789abcdef", "label": "box", "provider": "local", "status": "ready"}
    return JSONResponse({"computes": [compute]})


async def _exec(kept: Kept, request: Request) -> Response:
    body = await _body(request)
    result = {"stdout": f"ran {body['code']}", "stderr": "", "exit_code": 0}
    return JSONResponse({"session_id": request.path_params["session_id"], "duration_ms": 4.5, "result": result})


async def _exec_stream(kept: Kept, request: Request) -> Response:
    body = await _body(request)
    session_id = request.path_params["session_id"]
    result = {"session_id": session_id, "stdout": "out", "stderr": "", "exit_code": 0, "duration_ms": 4.5}
    frames = [
        _frame("started", {"type": "started", "session_id": session_id, "provider": "local", "stream_latency_ms": 2.0}),
        ": heartbeat\n\n",
        _frame("output", {"type": "output", "stream": "stdout", "text": body["code"]}),
        _frame("finished", {"type": "finished", "result": result}),
    ]
    return _stream(kept, frames)


async def _install(kept: Kept, request: Request) -> Response:
    installed = " ".join((await _body(request))["packages"])
    session_id = request.path_params["session_id"]
    return JSONResponse({"session_id": session_id, "stdout": installed, "stderr": "", "exit_code": 0, "duration_ms": 9})


async def _follow(kept: Kept, request: Request) -> Response:
    entries = kept.transcripts[request.path_params["session_id"]][int(request.query_params["since"]) :]
    return _stream(kept, [*(_frame("entry", entry) for entry in entries), _frame("end", {})])


async def _list_files(kept: Kept, request: Request) -> Response:
    entries = [
        {"path": path, "kind": "file", "size_bytes": len(content)} for path, content in sorted(kept.files.items())
    ]
    return JSONResponse({"path": request.query_params.get("path", "."), "entries": entries, "truncated": False})


async def _read_file(kept: Kept, request: Request) -> Response:
    path = request.query_params["path"]
    if ".." in path:
        return JSONResponse(problem("path_escapes_workspace", f"{path} leaves the workspace"), 400)
    if path not in kept.files:
        return JSONResponse(problem("file_not_found", f"there is no file {path}"), 404)
    return Response(kept.files[path], media_type="application/octet-stream")


async def _write_file(kept: Kept, request: Request) -> Response:
    kept.files[request.query_params["path"]] = await request.body()
    return Response(status_code=204)


async def _upload(kept: Kept, request: Request) -> Response:
    kept.folder = await request.body()
    with tarfile.open(fileobj=io.BytesIO(kept.folder)) as tar:
        files = [member for member in tar if member.isreg()]
    return JSONResponse({"files": len(files), "bytes": sum(member.size for member in files), "skipped": {}})


async def _download(kept: Kept, request: Request) -> Response:
    return Response(kept.folder, media_type="application/x-tar")


async def _recommend(kept: Kept, request: Request) -> Response:
    body = await _body(request)
    return JSONResponse(
        {
            "request_id": "req_1",
            "task": body.get("task", ""),
            "workload": "general",
            "providers": [{"name": "local", "status": "viable", "score": 0.9}],
            "decision": {"recommended_provider": "local", "confidence": "high", "primary_reason": "it is here"},
            "human_summary": {"headline": "Use local", "next_action": "create a session"},
        }
    )


def _session(kept: Kept, request: Request) -> Json | None:
    return kept.sessions.get(request.path_params["session_id"])


def _no_session(request: Request) -> Response:
    session_id = request.path_params["session_id"]
    return JSONResponse(problem("session_not_found", f"there is no session {session_id}"), 404)


async def _body(request: Request) -> Json:
    return json.loads(await request.body())


def _frame(kind: str, data: Json) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def _stream(kept: Kept, frames: list[str]) -> Response:
    return StreamingResponse(_frames(kept, frames), media_type="text/event-stream")


async def _frames(kept: Kept, frames: list[str]) -> AsyncGenerator[str]:
    told, kept.events = kept.events, None
    for frame in frames if told is None else told:
        yield frame
    if told is not None:
        try:
            await anyio.sleep(60)
        finally:
            kept.left_early.set()


Answer = Callable[[Kept, Request], Awaitable[Response]]

ANSWERS: Mapping[str, Answer] = {
    "sessions.create": _create,
    "sessions.list": _list,
    "sessions.get": _get,
    "sessions.update": _update,
    "sessions.terminate": _to_state("terminated", "ended"),
    "sessions.pause": _to_state("paused", "idle"),
    "sessions.resume": _to_state("ready", "idle"),
    "sessions.spawn": _spawn,
    "sessions.attach": _attach,
    "sessions.metrics": _metrics,
    "transcripts.append": _append,
    "transcripts.follow": _follow,
    "transcripts.export": _export,
    "transcripts.import": _import,
    "transcripts.search": _search,
    "transcripts.digest": _digest,
    "transcripts.redact": _redact,
    "computes.list": _computes,
    "computes.exec": _exec,
    "computes.exec_stream": _exec_stream,
    "computes.install": _install,
    "files.list": _list_files,
    "files.read": _read_file,
    "files.write": _write_file,
    "files.upload": _upload,
    "files.download": _download,
    "routing.recommend": _recommend,
}
"""One answer for each operation that the tests of clients ask of it."""
