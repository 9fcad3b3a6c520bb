"""The commands about places: recommend, providers, policies, stress."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_recommendation_explains_itself(cerver: Run) -> None:
    done = cerver("recommend", "run the tests", "--workload", "coding")
    lines = done.out.splitlines()
    assert (done.code, lines[0]) == (0, "Run this on this machine.")
    assert "No other can run work here now." in lines[1]
    assert lines[2].startswith("Confidence medium: by published figures it is the best with a probability of over 99%")
    for name in ("local", "p69", "vercel", "e2b", "cloudflare", "daytona", "modal"):
        assert any(line.startswith(f"{name} ") for line in lines)
    assert any(line.startswith("vercel") and line.endswith("it is not configured") for line in lines)


def test_what_is_needed_filters_and_says_how_to_go_on(cerver: Run) -> None:
    done = cerver("recommend", "--needs", "public_preview", "--json")
    report = json.loads(done.out)
    local = next(one for one in report["providers"] if one["name"] == "local")
    assert local["refusals"][0]["code"] == "public_preview"
    assert report["decision"]["recommended_provider"] != "local"
    assert "set " in report["human_summary"]["next_action"]


def test_a_recommendation_that_cannot_be_is_still_an_answer(cerver: Run) -> None:
    done = cerver("recommend", "--needs", "browser")
    assert (done.code, done.out.splitlines()[0]) == (0, "No compute can take this work.")


def test_providers_are_listed_and_each_tells_its_figures(cerver: Run) -> None:
    listed = cerver("providers")
    assert "E2B_API_KEY" in next(line for line in listed.out.splitlines() if line.startswith("e2b "))
    one = cerver("providers", "vercel")
    assert one.out.startswith("Vercel Sandbox (vercel): not configured\n")
    assert "startup_p50_ms" in one.out
    assert "2026-05-05" in one.out
    missing = cerver("providers", "nowhere")
    assert (missing.code != 0, "there is no provider nowhere" in missing.err) == (True, True)


def test_a_policy_is_set_by_name_or_from_a_file_shown_and_cleared(cerver: Run, tmp_path: Path) -> None:
    assert "no policy" in cerver("policies").err
    assert "frugal-coder" in cerver("policies", "--list").out
    assert cerver("policies", "--use", "frugal-coder").out.startswith("frugal-coder: ")
    assert json.loads(cerver("policies", "--json").out)["routing_policy"]["name"] == "frugal-coder"
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"name": "own", "default": {"harness": "codex"}}))
    assert "harness codex" in cerver("policies", "--set", str(own)).out
    assert "no policy" in cerver("policies", "--clear").err
    wrong = cerver("policies", "--use", "nothing")
    assert "frugal-coder, escalate-on-struggle, second-opinion" in wrong.err
    own.write_text(json.dumps({"name": "own", "rulez": []}))
    assert "rulez" in cerver("policies", "--set", str(own)).err


def test_a_stress_test_draws_a_table_and_a_plot(cerver: Run) -> None:
    done = cerver("stress", "--provider", "e2b", "--provider", "cloudflare", "--samples", "8")
    assert done.code == 0
    assert "from estimates, nothing was run" in done.out
    row = next(line for line in done.out.splitlines() if line.startswith("e2b  "))
    assert row.endswith(("-", "o"))
    report = json.loads(cerver("stress", "--live", "--samples", "1", "--json").out)
    assert (report["simulated"], report["sampleSize"], report["winner"]) == (False, 1, "local")
