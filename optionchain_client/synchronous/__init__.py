# Made from asynchronous/__init__.py by make_synchronous.py: edit that.
"""The client as coroutines use it. What callers that wait use is generated from this package."""
