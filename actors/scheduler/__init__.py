"""The actor that fires tasks when they are due, and has their runs done."""
