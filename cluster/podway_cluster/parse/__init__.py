"""From bytes to plain data to typed fields; nothing here knows a kind."""
