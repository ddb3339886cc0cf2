"""``python -m optionchain_server`` is the command ``optionchain``, where a PATH does not lead to it."""

from optionchain_server import main

if __name__ == "__main__":
    main()
