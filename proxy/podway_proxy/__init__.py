"""The forwarding core: the way of a connection, from a listener to an endpoint."""
