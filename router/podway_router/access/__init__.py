"""The access log: what to write of each request and connection, in which form, and whereto."""
