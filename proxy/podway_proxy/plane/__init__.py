"""The plane: one edge-triggered epoll set and the connections on it."""
