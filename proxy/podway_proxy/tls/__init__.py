"""TLS that ends here, and TLS to endpoints: contexts from values, handshakes, streams."""
