"""Folders and files: on this machine and where fsspec reaches."""
