"""Who may call, known in every process: keys that are made while the service runs."""
