"""The contract suite of `cerver_core.stores.base.Store`: every store passes it.

Inherit `StoreContract` and override its `store` fixture with an open, empty store that tells the time by the `clock`
fixture; pytest runs the rest.
"""

from cerver_core.testing.stores.appends import AppendContract
from cerver_core.testing.stores.executions import ExecutionContract
from cerver_core.testing.stores.lists import ListContract
from cerver_core.testing.stores.reads import ReadContract
from cerver_core.testing.stores.records import RecordContract
from cerver_core.testing.stores.rewrites import RewriteContract
from cerver_core.testing.stores.search import SearchContract
from cerver_core.testing.stores.sessions import StoredSessionContract

__all__ = ["StoreContract"]


class StoreContract(
    StoredSessionContract,
    ListContract,
    AppendContract,
    ReadContract,
    ExecutionContract,
    SearchContract,
    RewriteContract,
    RecordContract,
):
    """All of it."""
