"""History, shared: one actor that owns the connections to the store, and what it caches."""
