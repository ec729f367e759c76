"""podway: the command that runs, checks, shows and traces the whole way."""
