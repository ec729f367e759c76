"""The processes of a daemon: master, loader, workers, and what passes between them."""
