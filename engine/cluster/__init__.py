"""More machines than one: programs run, and the embedded policy proposes, on a Ray cluster.

Each node gets one station, an ordinary sandbox and an ordinary policy over its cores; what is
asked for goes to a node with room, and goes to another when that one is lost. The engine stays
where it is, and so does the archive with its one writer. Ray is imported only when a run asks for
a cluster.
"""

from engine.cluster.connection import ClusterError
from engine.cluster.open import AnySandbox, open_workers

__all__ = ["AnySandbox", "ClusterError", "open_workers"]
