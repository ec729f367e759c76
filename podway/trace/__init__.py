"""`podway trace`: one request, followed from its name to the pod that answers it."""
