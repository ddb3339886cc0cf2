"""What sweeps use of the outside: Ray's engine, folders that record them, the service of HTTP callers, the terminal."""
