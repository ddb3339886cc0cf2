"""What lies in MongoDB: history, configurations, keys, tasks, sweeps, the audit log."""
