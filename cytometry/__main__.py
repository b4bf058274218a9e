"""``python -m cytometry``: the command line."""

from cytometry.cli.main import main

if __name__ == "__main__":
    main()
