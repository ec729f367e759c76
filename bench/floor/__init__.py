"""The least Python that does the work: what podway could cost at best, never a proxy to use.

No deadline, no fail-over, no counter, no back-pressure, no care for half-open connections; the
same system calls and the same nested epoll set as the plane's. `make bench BENCH=--floor` puts it
beside the others.
"""
