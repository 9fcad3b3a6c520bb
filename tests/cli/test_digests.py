"""`cerver digest`: sessions in outline."""

import json

from tests.cli.conftest import Run


def test_a_digest_outlines_what_is_named_or_the_last_ones(cerver: Run) -> None:
    for name in ("one", "two"):
        assert cerver("create", "--no-compute", "--name", name).code == 0
        assert cerver("append", name, f"We decided to use {name} instead of three.").code == 0
    done = cerver("digest", "one")
    assert (done.code, done.err) == (0, "")
    assert "We decided to use one instead of three." in done.out
    assert "two" not in done.out
    peek = done.out.split("[read round a seq: cerver ")[1].split("]")[0].replace("SEQ", "1").split()
    assert "We decided to use one" in cerver(*peek).out
    found = json.loads(cerver("digest", "--limit", "1", "--json").out)
    assert ([one["title"] for one in found["sessions"]], found["more"]) == (["two"], True)
    assert cerver("digest", "--since", "2030-01-01").code == 3
    assert cerver("digest", "--since", "sometime").code == 2
