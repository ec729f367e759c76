"""Who next and who is up: balancing policies and health. Pure."""
