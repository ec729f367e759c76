"""Sniffers: what a connection says in its first bytes. Pure; peek, never consume."""
