"""What each tenant may take of what all share, counted for all processes and set while the service runs."""
