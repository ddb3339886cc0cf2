"""Whether the tests notice: the code is changed in one place at a time, and the tests that pass there have to fail."""
