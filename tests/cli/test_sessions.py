"""The commands of sessions, as scripts and people use them."""

import json
import re

import pytest

from tests.cli.conftest import Run


def test_create_prints_the_id_alone(cerver: Run) -> None:
    done = cerver("create", "--name", "one", "--task", "do it")
    assert done.code == 0
    assert len(done.out) == 37
    assert done.err.startswith("ready, on local, isolation ")


def test_a_session_of_memory_alone_has_no_compute(cerver: Run) -> None:
    made = json.loads(cerver("create", "--no-compute", "--json").out)
    assert (made["status"], made["provider"], made["compute_id"], made["isolation"]) == ("ready", "none", None, None)


def test_the_list_is_a_plain_table_with_whole_ids_for_a_pipe(cerver: Run) -> None:
    older = cerver("create", "--no-compute", "--name", "older", "--task", "first\nthings").out.strip()
    newer = cerver("create", "--no-compute").out.strip()
    cerver("create", "--no-compute", "--name", "idle-hands")
    lines = cerver("sessions").out.splitlines()
    assert lines.pop(1).count("idle-hands") == 1
    assert lines[0].split() == ["ID", "NAME", "STATUS", "UPDATED", "ENTRIES", "TASK"]
    assert [line.split()[0] for line in lines[1:]] == [newer, older]
    assert lines[2].split()[1:3] == ["older", "idle"]
    assert lines[2].endswith("first things")
    assert "\x1b" not in "".join(lines)


def test_no_session_is_said_beside_the_answer(cerver: Run) -> None:
    done = cerver("sessions")
    assert (done.code, done.out) == (0, "")
    assert done.err == "no sessions; `cerver run` makes one\n"


def test_pages_follow_the_cursor_to_the_end(cerver: Run) -> None:
    made = [cerver("create", "--no-compute").out.strip() for _ in range(5)]
    seen: list[str] = []
    cursor: list[str] = []
    for size in (2, 2, 1):
        page = json.loads(cerver("sessions", "--limit", "2", "--json", *cursor).out)
        assert len(page["sessions"]) == size
        seen += [row["sessionId"] for row in page["sessions"]]
        cursor = ["--cursor", page["next_cursor"]] if page["next_cursor"] else []
    assert seen == made[::-1]
    assert cursor == []


def test_a_session_pauses_resumes_and_ends_under_one_id(cerver: Run) -> None:
    session = cerver("create", "--name", "life").out.strip()
    for command, status in (("pause", "paused"), ("resume", "ready"), ("end", "terminated")):
        done = cerver(command, "life", "--json")
        assert (json.loads(done.out)["session_id"], json.loads(done.out)["status"]) == (session, status)
    again = cerver("resume", "life")
    assert again.code == 4
    assert again.err.startswith("cerver: session_state: ")
    assert [row["status"] for row in json.loads(cerver("sessions", "--status", "ended", "--json").out)["sessions"]] == [
        "ended"
    ]


def test_end_takes_an_action(cerver: Run) -> None:
    cerver("create", "--name", "acted")
    assert cerver("end", "acted", "--action", "pause").err.startswith("paused, ")
    assert cerver("end", "acted", "--action", "resume").err.startswith("ready, ")


def test_a_child_is_linked_to_its_parent(cerver: Run) -> None:
    parent = cerver("create", "--name", "parent").out.strip()
    child = json.loads(cerver("spawn", "parent", "--task", "a part", "--name", "child", "--json").out)
    assert (child["parent_session_id"], child["session_name"]) == (parent, "child")


def test_metrics_count_what_ran(cerver: Run) -> None:
    cerver("create", "--name", "counted")
    cerver("run", "true", "--session", "counted", "--json")
    cerver("run", "true", "--session", "counted")
    answer = json.loads(cerver("metrics", "counted", "--json").out)["metrics"]
    assert (answer["total_exec_count"], answer["total_stream_count"]) == (1, 1)
    lines = cerver("metrics", "counted").out.splitlines()
    assert "total_exec_count                1" in lines
    assert "uptime_percent                  unknown" in lines


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["sessions", "--status", "sleepy"], 2, "cerver: invalid_input: "),
        (["sessions", "--limit", "0"], 2, "cerver: invalid_input: limit: must be greater than or equal to 1"),
        (["sessions", "--cursor", "nonsense"], 2, "cerver: invalid_input: "),
        (["stress", "--samples", "0"], 2, "cerver: invalid_input: --samples: must be greater than or equal to 1"),
        (["append", "nobody", ""], 2, "cerver: invalid_input: content is empty: only "),
        (["pause", "nobody"], 3, "cerver: session_not_found: "),
        (["create", "--compute", "comp_nowhere"], 3, "cerver: compute_not_found: "),
        (
            ["create", "--name", "x" * 201],
            2,
            "cerver: invalid_input: --name: must have a length of at most 200, not 201",
        ),
    ],
)
def test_what_cannot_be_is_one_line_and_a_code(cerver: Run, args: list[str], code: int, said: str) -> None:
    done = cerver(*args)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1


def test_a_name_of_two_sessions_is_ambiguous(cerver: Run) -> None:
    alone = cerver("create", "--no-compute", "--name", "twin", "--task", "the first")
    second = cerver("create", "--no-compute", "--name", "twin")
    assert "note" not in alone.err
    assert second.err.endswith("cerver: note: other sessions go by 'twin' too: use its id\n")
    done = cerver("show", "twin")
    assert done.code == 4
    said = done.err.removeprefix("cerver: ambiguous_reference: 'twin' fits several sessions, use the id of one: ")
    pattern = r"{} \(active \d+s ago, 0 entries\); {} \(active \d+s ago, 1 entry\)\n"
    assert re.fullmatch(pattern.format(second.out.strip(), alone.out.strip()), said)
