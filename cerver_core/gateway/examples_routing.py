"""Examples of the operations of routing; ids, figures and names are made up."""

from collections.abc import Mapping

from pydantic import JsonValue

__all__ = ["ROUTING_EXAMPLES"]

Pair = tuple[JsonValue, JsonValue]

_POLICY: dict[str, JsonValue] = {
    "name": "ours",
    "rules": [
        {"name": "long prompts", "match": {"prompt_over_chars": 8000}, "route": {"model": "opus", "harness": "claude"}}
    ],
    "default": {"model": "haiku", "harness": "claude"},
    "compute": {"consume": {"providers": [], "order": ["local", "e2b"]}},
}
_PUT: dict[str, JsonValue] = {"routing_policy": _POLICY}

ROUTING_EXAMPLES: Mapping[str, Pair] = {
    "routing.providers": (
        None,
        {
            "providers": [
                {
                    "name": "e2b",
                    "title": "E2B",
                    "status": "not_configured",
                    "executable": False,
                    "missing": "To use E2B, set E2B_API_KEY where Cerver runs",
                    "credentials": [["E2B_API_KEY"]],
                    "billing": "allocated",
                    "facts": {
                        "boots.startup_p50_ms": {
                            "value": 491.0,
                            "unit": "ms",
                            "source": "a public measurement",
                            "evidence": "measured",
                            "as_of": "2026-05-05",
                            "stale": True,
                        }
                    },
                    "stale_facts": 1,
                    "attempts": 0,
                    "answered": 0,
                    "uptime_percent": None,
                }
            ]
        },
    ),
    "routing.stress_test": (
        {"kind": "cold_start", "mode": "simulated", "workload": "coding", "providers": ["e2b", "vercel"]},
        {
            "testId": "test_0123456789abcdef",
            "kind": "cold_start",
            "mode": "simulated",
            "simulated": True,
            "workload": "coding",
            "sampleSize": 5,
            "winner": None,
            "tie": True,
            "summary": "A tie: the estimates are too uncertain to part e2b (about 490 ms; …) and vercel (…).",
            "report": {
                "headline": "A tie: …",
                "guidance": "Nothing of this was measured: `cerver stress cold_start --live` does that.",
                "next_policy": {"mode": "fastest"},
            },
            "results": [
                {"provider": "e2b", "temperature": "cold", "n": 0, "medianMs": 490.0, "lowMs": 240.0, "highMs": 1000.0}
            ],
        },
    ),
    "routing.policy": (None, _PUT),
    "routing.put_policy": (_PUT, _PUT),
    "routing.project_policy": (None, _PUT),
    "routing.put_project_policy": (_PUT, _PUT),
    "routing.community_policies": (None, {"policies": [{"slug": "ours", "routing_policy": _POLICY}]}),
}
