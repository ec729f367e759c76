"""The plane: one edge-triggered epoll set and the connections on it.

`plane` has the set itself, the run queue and the deadlines (`wheel`); `listener` accepts, `dial`
connects, `connection` is the sockets of both, `flow` moves one direction (`pipes` for splice),
`relay` two; `front` takes a client from its first bytes (`reception`) to an endpoint (`tunnel`),
`parting` lets it go.
"""
