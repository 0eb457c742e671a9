"""`python -m graphql_api`, and `onehold`."""

import gc

__all__ = ["main"]

# What imports make stays: looking for garbage among it, again and again, took a tenth of the start.
gc.disable()

from graphql_api.cli import main  # noqa: E402

gc.enable()

if __name__ == "__main__":
    main()
