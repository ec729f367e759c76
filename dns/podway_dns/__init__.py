"""podway-dns: zone data, answers, and the server around them."""
