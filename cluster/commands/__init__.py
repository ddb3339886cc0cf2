"""The command line: ``optionchain COMMAND``."""
