"""The contract suite of `cerver_core.providers.base.Provider`: every provider passes it.

Inherit `ProviderContract` and override its `providers` fixture with a way to open the provider; inherit beside it the
contract of each ability that the provider declares.
"""

from cerver_core.testing.providers.abilities import (
    BackgroundContract,
    ExtendableContract,
    ForkableContract,
    InteractiveContract,
    ListingContract,
    PreviewsContract,
    SnapshotsContract,
    StatefulContract,
)
from cerver_core.testing.providers.endings import EndingsContract
from cerver_core.testing.providers.executions import ExecutionsContract
from cerver_core.testing.providers.files import FilesContract
from cerver_core.testing.providers.ground import ProviderGround, Providers, Ran, run, start
from cerver_core.testing.providers.lifetimes import LifetimesContract

__all__ = [
    "BackgroundContract",
    "ExtendableContract",
    "ForkableContract",
    "InteractiveContract",
    "ListingContract",
    "PreviewsContract",
    "ProviderContract",
    "ProviderGround",
    "Providers",
    "Ran",
    "SnapshotsContract",
    "StatefulContract",
    "run",
    "start",
]


class ProviderContract(ExecutionsContract, EndingsContract, FilesContract, LifetimesContract):
    """What holds for every provider."""
