"""Nodes of one cluster on several machines: how one joins and leaves, and how work moves between them."""
