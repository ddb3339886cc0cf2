"""The HAProxy before the replicas: as we want it, with a certificate, and while it is dead."""
