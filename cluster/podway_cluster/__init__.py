"""The cluster's objects: models, sources, endpoints, snapshots."""
