"""Copilot CLI's event logs, which tell calls and thoughts twice and sub-agents among the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from cerver_core.importers.copilot import CopilotImporter
from cerver_core.testing.importers import ImporterContract, Sample

SESSION = "33333333-cccc-4ccc-8ccc-000000000001"
AT = "2026-05-04T10:00:00.000Z"


def event(identity: str, kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data, "id": identity, "timestamp": AT, "parentId": None}


REQUEST = {"toolCallId": "t1", "name": "bash", "arguments": {"command": "make test"}}
USAGE = {"usage": {"inputTokens": 100, "outputTokens": 7, "cacheReadTokens": 5, "cacheWriteTokens": 0}}
HISTORY = [
    event("e0", "session.start", sessionId=SESSION, copilotVersion="1.0", context={"cwd": "/srv/api", "branch": "fix"}),
    event("e1", "session.model_change", newModel="gpt-x"),
    event("e2", "system.message", role="system", content="You are Copilot"),
    event("e3", "user.message", content="Why is CI red?", transformedContent="<more>"),
    event("e4", "assistant.reasoning", reasoningId="r", content="Run them"),
    event("e5", "assistant.message", content="Let me look.", reasoningText="Run them", toolRequests=[REQUEST]),
    event("e6", "tool.execution_start", toolCallId="t1", toolName="bash", arguments={"command": "make test"}),
    event("e7", "tool.execution_complete", toolCallId="t1", success=True, result={"content": "FAILED test_a"}),
    event("e8", "tool.execution_start", toolCallId="t2", toolName="task", arguments={}),
    event("e9", "subagent.started", toolCallId="t2", agentName="explore", agentDisplayName="Explorer"),
    event("ea", "assistant.message", content="Counting", parentToolCallId="t2"),
    event("eb", "tool.execution_complete", toolCallId="t2", success=False, error={"message": "no such agent"}),
    event("ec", "session.compaction_complete", success=True, summaryContent="Summary of before"),
    event("ed", "session.snapshot_rewind", upToEventId="e5", eventsRemoved=3),
    event("ee", "abort", reason="user"),
    event("ef", "session.error", message="rate limited"),
    event("eg", "session.shutdown", modelMetrics={"gpt-x": USAGE}),
    event("eh", "session.shutdown", modelMetrics={"gpt-x": USAGE}),
    event("ei", "shiny.new"),
]


class TestCopilot(ImporterContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        folder = tmp_path / "home" / ".copilot" / "session-state" / "another-name"
        folder.mkdir(parents=True)
        (folder / "events.jsonl").write_text("".join(json.dumps(value) + "\n" for value in HISTORY))
        (folder / "workspace.yaml").write_text("id: x\ncwd: /srv/api\nsummary: Red CI\n")
        return Sample(
            importer=CopilotImporter(),
            home=tmp_path / "home",
            environ={},
            documents=[SESSION],
            spoken=[
                ("user", "text", "Why is CI red?"),
                ("assistant", "thinking", "Run them"),
                ("assistant", "text", "Let me look."),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "FAILED test_a"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "no such agent"),
                ("system", "summary", "Summary of before"),
                ("system", "rewind", "Rewound to e5: what stood after it was left behind."),
                ("system", "event", "Aborted: user"),
                ("system", "event", "rate limited"),
            ],
            calls=[("bash", False), ("task", True)],
            facts={
                "working_dir": "/srv/api",
                "branch": "fix",
                "source_version": "1.0",
                "model": "gpt-x",
                "usage": {"input_tokens": 200, "output_tokens": 14, "cache_read_tokens": 10},
                "rewinds": 1,
            },
            title="Red CI",
            parents={f"{SESSION}/t2": SESSION},
        )
