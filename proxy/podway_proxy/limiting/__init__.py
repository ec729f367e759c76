"""Limits that hold per daemon: how much a client may ask for, how much an endpoint is asked for."""
