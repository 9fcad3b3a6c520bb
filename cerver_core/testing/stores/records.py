"""Records and counters: versions, expiry, order, owners kept apart, sums that never pass their ceiling."""

import anyio
from pydantic import JsonValue

from cerver_core.stores.base import AccountStore, Store
from cerver_core.testing.stores.ground import StoreGround

__all__ = ["RecordContract"]

_LATER_US = 1_000


class RecordContract(StoreGround):
    """What every store does with small things."""

    async def test_a_record_is_read_as_it_was_written(self, account: AccountStore, now_us: int) -> None:
        data: dict[str, JsonValue] = {
            "text": "é \u0000 'quoted' \\ 😀",
            "list": [1, 2.5, None, True],
            "nested": {"": {}},
        }
        put = await account.records.put("note", "n1", data, now_us=now_us)
        assert put is not None
        assert (put.version, put.created_at_us, put.updated_at_us, put.expires_at_us) == (1, now_us, now_us, None)
        assert await account.records.get("note", "n1", now_us=now_us) == put
        assert put.data == data

    async def test_what_is_not_there_is_null(self, account: AccountStore, now_us: int) -> None:
        await account.records.put("note", "n1", {}, now_us=now_us)
        assert await account.records.get("note", "n2", now_us=now_us) is None
        assert await account.records.get("other", "n1", now_us=now_us) is None

    async def test_a_change_grows_the_version_and_keeps_the_creation(self, account: AccountStore, now_us: int) -> None:
        await account.records.put("note", "n1", {"a": 1}, now_us=now_us)
        again = await account.records.put("note", "n1", {"b": 2}, now_us=now_us + 1, expected_version=1)
        assert again is not None
        assert (again.version, again.data) == (2, {"b": 2})
        assert (again.created_at_us, again.updated_at_us) == (now_us, now_us + 1)

    async def test_a_write_over_another_version_changes_nothing(self, account: AccountStore, now_us: int) -> None:
        records = account.records
        assert await records.put("note", "n1", {"a": 1}, now_us=now_us, expected_version=1) is None
        assert await records.put("note", "n1", {"a": 1}, now_us=now_us, expected_version=0) is not None
        assert await records.put("note", "n1", {"a": 2}, now_us=now_us, expected_version=0) is None
        kept = await records.get("note", "n1", now_us=now_us)
        assert kept is not None
        assert kept.data == {"a": 1}

    async def test_of_many_that_make_one_record_one_succeeds(self, account: AccountStore, now_us: int) -> None:
        made: list[int] = []

        async def make(number: int) -> None:
            if await account.records.put("note", "n1", {"by": number}, now_us=now_us, expected_version=0):
                made.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(make, number)
        kept = await account.records.get("note", "n1", now_us=now_us)
        assert kept is not None
        assert [kept.data["by"]] == made

    async def test_an_expired_record_is_not_there(self, account: AccountStore, now_us: int) -> None:
        records = account.records
        await records.put("note", "n1", {"a": 1}, now_us=now_us, expires_at_us=now_us + _LATER_US)
        assert await records.get("note", "n1", now_us=now_us + _LATER_US - 1) is not None
        assert await records.get("note", "n1", now_us=now_us + _LATER_US) is None
        assert list(await records.list("note", now_us=now_us + _LATER_US)) == []
        new = await records.put("note", "n1", {"b": 1}, now_us=now_us + _LATER_US, expected_version=0)
        assert new is not None
        assert (new.version, new.created_at_us) == (1, now_us + _LATER_US)

    async def test_a_list_is_in_order_and_goes_on_behind_its_last(self, account: AccountStore, now_us: int) -> None:
        for name in ("b", "a/2", "a/1", "é", "B", "a/10"):
            await account.records.put("note", name, {}, now_us=now_us)
        await account.records.put("other", "a/3", {}, now_us=now_us)

        async def ids(**query: object) -> list[str]:
            return [record.id for record in await account.records.list("note", now_us=now_us, **query)]  # pyright: ignore[reportArgumentType]

        assert await ids() == ["B", "a/1", "a/10", "a/2", "b", "é"]
        assert await ids(prefix="a/") == ["a/1", "a/10", "a/2"]
        assert await ids(after="a/10", limit=2) == ["a/2", "b"]
        assert await ids(newest=True, after="b", prefix="a/") == ["a/2", "a/10", "a/1"]

    async def test_a_removed_record_is_gone(self, account: AccountStore, now_us: int) -> None:
        await account.records.put("note", "n1", {}, now_us=now_us)
        assert not await account.records.delete("note", "n1", expected_version=2)
        assert await account.records.delete("note", "n1", expected_version=1)
        assert not await account.records.delete("note", "n1")
        assert await account.records.get("note", "n1", now_us=now_us) is None

    async def test_owners_are_apart(self, store: Store, account: AccountStore, now_us: int) -> None:
        other = store.account("other")
        for number, owner in enumerate((account.records, other.records, store.directory)):
            await owner.put("note", "n1", {"of": number}, now_us=now_us, expected_version=0)
            await owner.add("spent", number + 1)
        for number, owner in enumerate((account.records, other.records, store.directory)):
            assert [record.data for record in await owner.list("note", now_us=now_us)] == [{"of": number}]
            assert await owner.counter("spent") == number + 1
        await account.records.delete("note", "n1")
        assert await other.records.get("note", "n1", now_us=now_us) is not None

    async def test_a_counter_adds_up_and_never_passes_its_ceiling(self, account: AccountStore) -> None:
        records = account.records
        assert await records.counter("spent") == 0
        assert await records.add("spent", 60, ceiling=100) == 60
        assert await records.add("spent", 41, ceiling=100) is None
        assert await records.add("spent", 40, ceiling=100) == 100
        assert await records.add("spent", -30) == 70
        assert await records.counter("spent") == 70

    async def test_of_many_that_spend_at_once_those_that_fit_get_through(self, account: AccountStore) -> None:
        sums: list[int | None] = []

        async def spend() -> None:
            sums.append(await account.records.add("spent", 10, ceiling=55))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(spend)
        assert sorted(total for total in sums if total is not None) == [10, 20, 30, 40, 50]
        assert await account.records.counter("spent") == 50
