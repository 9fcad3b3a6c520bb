"""The contract suite of `cerver_core.providers.base.Provider`: every provider passes it.

Inherit `ProviderContract` and override its `providers` fixture with a way to open the provider.
"""

from cerver_core.testing.providers.endings import EndingsContract
from cerver_core.testing.providers.executions import ExecutionsContract
from cerver_core.testing.providers.files import FilesContract
from cerver_core.testing.providers.ground import ProviderGround, Providers, Ran, run, start
from cerver_core.testing.providers.lifetimes import LifetimesContract

__all__ = ["ProviderContract", "ProviderGround", "Providers", "Ran", "run", "start"]


class ProviderContract(ExecutionsContract, EndingsContract, FilesContract, LifetimesContract):
    """What holds for every provider."""
