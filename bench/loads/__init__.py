"""The clients, and the source of bulk data: each does as little as it can besides its work."""
