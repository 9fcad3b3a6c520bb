"""Stand-ins for the clouds: servers that speak a vendor's wire and run the commands for real on this machine."""

from cerver_core.testing.clouds.faults import Fault, Faults
from cerver_core.testing.clouds.machine import Job, Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["Fault", "Faults", "Job", "Machine", "Machines", "Served"]
