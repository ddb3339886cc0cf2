"""Named configurations, and the one that gives new sessions their defaults and limits."""
