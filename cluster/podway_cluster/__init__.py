"""The cluster's objects: models, sources, endpoints, snapshots.

`load` reads directories once; `podway_cluster.source.DirectorySource` keeps watching them;
`podway_cluster.endpoints.endpoints` says who serves for a Service.
"""

from __future__ import annotations

from .load import load
from .problem import Problem
from .snapshot import Key, Snapshot

__all__ = ["Key", "Problem", "Snapshot", "load"]
