"""``python -m spanwise`` is the command line."""

from spanwise.cli import main

main()
