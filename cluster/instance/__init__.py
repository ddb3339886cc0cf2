"""The local instance: its servers, its Ray node, and its one life from start to stop."""
