"""The client as coroutines use it. What callers that wait use is generated from this package."""
