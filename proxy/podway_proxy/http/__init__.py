"""HTTP/1.1 between clients and endpoints: refusals, heads, framing, exchanges."""
