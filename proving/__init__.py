"""What proves the service from outside: benchmarks, and load under faults. The service imports none of it."""
