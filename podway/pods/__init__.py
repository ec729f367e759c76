"""The lab's pods: small HTTP and TLS servers, each on the address that its Pod object says."""
