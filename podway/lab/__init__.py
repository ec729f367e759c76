"""The lab: every part of the way, run from one terminal without root."""
