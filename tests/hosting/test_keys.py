from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest

from cerver_core.engine.engine import AccountCerver
from cerver_core.engine.hosting import EngineHost
from cerver_core.errors import AmbiguousReference, Forbidden, InvalidInput, NotFound, SessionNotFound, Unauthorized
from cerver_core.keys import make_key, parse_key
from cerver_core.testing.clock import ManualClock
from cerver_core.wire.account import CreateKey, ListAudit
from cerver_core.wire.projects import CreateEnvironment, CreateProject, UpdateEnvironment, UpdateProject
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import CreateSession, ListSessions
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from cerver_core.wire.vaults import CreateVault
from tests.hosting.roads import Person, hosted, key_of, operator, stored_bytes

_MEMORY = CreateSession(compute=None)


async def test_the_first_key_is_made_once_and_is_the_operator_s(host: EngineHost) -> None:
    key = await host.first_key()
    assert key is not None
    assert await host.first_key() is None
    caller = await host.authenticate(key)
    assert (caller.is_operator, caller.kind, caller.project_slug) == (True, "secret", None)
    assert caller.scopes == {"read", "write", "admin"}


async def test_every_reason_to_refuse_a_key_has_one_answer(host: EngineHost, ann: Person, clock: ManualClock) -> None:
    revoked = await key_of(ann, label="old")
    expiring = await key_of(ann, expires_in_days=1)
    wrong = parse_key(ann.key)
    assert wrong is not None
    other = make_key("secret")
    forged = type(wrong)("secret", wrong.key_id, other.secret).text
    await (await ann.cerver()).account.delete_key(revoked.key)
    clock.advance(timedelta(days=2))
    answers: set[str] = set()
    for key in ("", "nonsense", "ck_x", ann.key[:-1], other.text, forged, revoked.key, expiring.key, ann.key + "x"):
        with pytest.raises(Unauthorized) as caught:
            await host.authenticate(key)
        answers.add(str(caught.value))
        assert caught.value.detail == {}
    assert len(answers) == 1


async def test_a_key_that_ends_makes_none_that_outlives_it(host: EngineHost, ann: Person) -> None:
    short = await key_of(ann, scope="global", expires_in_days=7)
    asking = await host.authenticate(short.key)
    account, end = host.cerver(asking).account, asking.expires_at
    assert end is not None
    for days, ends in ((None, end), (365, end), (1, end - timedelta(days=6))):
        assert (await account.create_key(CreateKey(expires_in_days=days))).expires_at == ends


async def test_a_project_s_key_cannot_say_which_vault_its_secrets_come_from(host: EngineHost, ann: Person) -> None:
    whole = await ann.cerver()
    vault = await whole.vaults.create(CreateVault(provider="cerver", label="web", secrets={"A_SECRET": "of-the-web"}))
    await whole.projects.create(CreateProject(name="web"))
    await whole.projects.update("web", UpdateProject(infisical_config_id=vault.id))
    await whole.projects.create_environment("web", CreateEnvironment(slug="prod"))
    for key in (
        await key_of(ann, project_slug="web"),
        await key_of(ann, scope="global", scopes=["read", "write"]),
    ):
        projects = (await key.cerver()).projects
        with pytest.raises(Forbidden):
            await projects.update("web", UpdateProject(infisical_config_id=None))
        with pytest.raises(Forbidden):
            await projects.update_environment("web", "prod", UpdateEnvironment(infisical_config_id=vault.id))
        with pytest.raises(Forbidden):
            await projects.create_environment("web", CreateEnvironment(slug="test", infisical_config_id=vault.id))
        assert (
            await projects.update("web", UpdateProject(infisical_config_id=vault.id))
        ).infisical_config_id == vault.id
        await projects.update_environment("web", "prod", UpdateEnvironment(name="Prod", infisical_config_id=""))
    assert (await whole.projects.update("web", UpdateProject(infisical_config_id=""))).infisical_config_id is None


async def test_a_revocation_holds_on_another_replica_at_once(tmp_path: Path) -> None:
    async with hosted(tmp_path) as one, hosted(tmp_path) as other:
        person = await operator(one)
        second = await key_of(person)
        assert (await other.authenticate(second.key)).account_id == person.account_id
        await (await person.cerver()).account.delete_key(second.key)
        with pytest.raises(Unauthorized):
            await other.authenticate(second.key)


async def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    async with hosted(tmp_path) as host:
        person = await operator(host)
        made = await (await person.cerver()).account.create_key(CreateKey(label="ci", project_slug="web"))
        listed = (await (await person.cerver()).account.list_keys()).keys
        text = parse_key(made.key)
    stored = stored_bytes(tmp_path)
    assert text is not None
    assert text.secret.encode() not in stored
    assert text.key_id.encode() in stored
    assert [(key.label, key.project_slug, key.project_name) for key in listed] == [
        ("ci", "web", "web"),
        ("first", None, None),
    ]
    assert listed[0].key_masked == f"{text.prefix}…{made.key[-4:]}"
    assert (made.project_slug, made.kind) == ("web", "secret")


async def test_a_key_without_a_project_is_of_the_default_one(ann: Person) -> None:
    made = await (await ann.cerver()).account.create_key(CreateKey())
    assert made.project_slug == "default"
    projects = (await (await ann.cerver()).projects.list()).projects
    assert [(one.slug, one.api_key_count, one.id) for one in projects] == [("default", 1, made.project_id)]


async def test_when_a_key_was_used_is_told_and_written_once_a_minute(ann: Person, clock: ManualClock) -> None:
    begun = clock.now()
    cerver = await ann.cerver()
    assert await _used_last(cerver, begun) == begun
    clock.advance(timedelta(seconds=30))
    await ann.cerver()
    clock.advance(timedelta(seconds=31))
    await ann.cerver()
    assert await _used_last(cerver, clock.now()) == begun + timedelta(seconds=61)


async def _used_last(cerver: AccountCerver, wanted: datetime) -> datetime | None:
    """Read when the newest key was used last; it is written beside the call, so wait for it a while."""
    last = None
    for _ in range(500):
        last = (await cerver.account.list_keys()).keys[0].last_used_at
        if last == wanted:
            break
        await anyio.sleep(0.01)
    return last


async def test_a_key_is_revoked_by_a_beginning_that_fits_it_alone(ann: Person) -> None:
    account = (await ann.cerver()).account
    made = await account.create_key(CreateKey())
    with pytest.raises(NotFound):
        await account.delete_key("ck_")
    with pytest.raises(NotFound):
        await account.delete_key(make_key("secret").text)
    await account.delete_key(made.key[:15])
    with pytest.raises(NotFound):
        await account.delete_key(made.key)
    assert len((await account.list_keys()).keys) == 1


async def test_a_key_gives_no_more_than_it_has(ann: Person) -> None:
    bound = await (await key_of(ann, project_slug="web")).cerver()
    assert (await bound.account.whoami()).scope == "project"
    assert (await bound.account.create_key(CreateKey())).project_slug == "web"
    for request in (CreateKey(project_slug="other"), CreateKey(scope="global")):
        with pytest.raises(Forbidden):
            await bound.account.create_key(request)
    writer = await (await key_of(ann, scopes=["read", "write", "admin"], scope="global")).cerver()
    assert (await writer.account.create_key(CreateKey(scopes=("read",)))).scopes == ("read",)
    limited = await (await key_of(ann, scopes=["read", "admin"], scope="global")).cerver()
    with pytest.raises(Forbidden, match="lacks write"):
        await limited.account.create_key(CreateKey(scopes=("read", "write")))
    assert (await limited.account.create_key(CreateKey())).scopes == ("read", "admin")


async def test_a_key_that_is_no_admin_s_revokes_itself_alone(ann: Person) -> None:
    reader = await key_of(ann, scopes=["read", "write"], scope="global")
    account = (await reader.cerver()).account
    with pytest.raises(Forbidden):
        await account.delete_key(ann.key)
    await account.delete_key(reader.key)
    with pytest.raises(Unauthorized):
        await reader.cerver()


async def test_a_publishable_key_needs_pages_and_is_found_again(ann: Person) -> None:
    account = (await ann.cerver()).account
    for request in (
        CreateKey(kind="publishable"),
        CreateKey(kind="publishable", allowed_origins=("https://a.example/path",)),
        CreateKey(kind="publishable", allowed_origins=("https://a.example",), scopes=("admin",)),
        CreateKey(kind="publishable", allowed_origins=("https://a.example",), scope="global"),
        CreateKey(allowed_origins=("https://a.example",)),
    ):
        with pytest.raises(InvalidInput):
            await account.create_key(request)
    asked = CreateKey(
        kind="publishable", label="chat", project_slug="web", reuse=True, allowed_origins=("HTTPS://A.example/",)
    )
    made = await account.create_key(asked)
    assert made.key.startswith("pk_")
    assert (made.allowed_origins, made.scopes) == (("https://a.example",), ("read", "write"))
    assert (await account.create_key(asked)).key == made.key
    assert (await account.create_key(asked.model_copy(update={"label": "other"}))).key != made.key


async def test_two_keys_that_begin_alike_are_not_guessed_between(ann: Person) -> None:
    account = (await ann.cerver()).account
    keys = [(await account.create_key(CreateKey())).key for _ in range(3)]
    with pytest.raises((AmbiguousReference, NotFound)):
        await account.delete_key(keys[0][:3])
    assert len((await account.list_keys()).keys) == 4


async def test_a_project_s_key_sees_that_project_s_sessions_alone(ann: Person) -> None:
    whole = await ann.cerver()
    web = await (await key_of(ann, project_slug="web")).cerver()
    other = (
        await whole.sessions.create(CreateSession(compute=None, project_slug="api", session_name="api one"))
    ).session_id
    bare = (await whole.sessions.create(_MEMORY)).session_id
    own = (await web.sessions.create(CreateSession(compute=None, task="zebra"))).session_id
    await whole.transcripts.append(other, AppendEntries(entries=(NewEntry(role="user", content="zebra"),)))
    assert (await whole.sessions.get(own)).project_slug == "web"
    for session_id in (other, bare, "no-such-session"):
        with pytest.raises(SessionNotFound):
            await web.sessions.get(session_id)
        with pytest.raises(SessionNotFound):
            await web.transcripts.read(session_id, ReadTranscript(full=True))
        with pytest.raises(SessionNotFound):
            await web.transcripts.append(session_id, AppendEntries(entries=(NewEntry(role="user", content="x"),)))
        with pytest.raises(SessionNotFound):
            await web.sessions.terminate(session_id)
    assert [one.session_id for one in (await web.sessions.list(ListSessions())).sessions] == [own]
    assert (await web.sessions.list(ListSessions(project="api"))).sessions == ()
    assert [one.session_id for one in (await web.transcripts.search(SearchTranscripts(query="zebra"))).sessions] == [
        own
    ]
    for reference in (other[:8], "api one"):
        with pytest.raises(SessionNotFound):
            await web.sessions.resolve(reference)
    with pytest.raises(Forbidden):
        await web.sessions.create(CreateSession(compute=None, project_slug="api"))
    assert len((await whole.sessions.list(ListSessions())).sessions) == 3


async def test_what_was_done_is_in_the_audit_trail_by_name_and_key(ann: Person) -> None:
    account = (await ann.cerver()).account
    made = await account.create_key(CreateKey(label="ci", project_slug="web"))
    await account.delete_key(made.key)
    page = await account.audit(ListAudit(limit=2))
    assert [entry.action for entry in page.entries] == ["key.delete", "key.create"]
    key = parse_key(ann.key)
    assert key is not None
    assert {entry.key for entry in page.entries} == {key.prefix}
    assert made.key not in page.model_dump_json()
    rest = await account.audit(ListAudit(cursor=page.next_cursor))
    assert [entry.action for entry in rest.entries] == ["project.create"]
    bound = await (await key_of(ann, project_slug="other")).cerver()
    assert {entry.project_slug for entry in (await bound.account.audit(ListAudit())).entries} == {"other"}
