"""Files that only the server's own user may read: the database, what SQLite puts beside it, and the keys."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PRIVATE = 0o600


def create_private(path: Path) -> None:
    """Create an empty file with mode 0600, whatever the umask; one that is there is tightened.

    Raises:
        OSError: the file cannot be created.
    """
    try:
        # Never opened again where it exists: to close it would let go of SQLite's locks in this process.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    except FileExistsError:
        tighten(path)
        return
    try:
        os.fchmod(descriptor, PRIVATE)
    finally:
        os.close(descriptor)


def tighten(path: Path) -> None:
    """Take a file from others that they may use, if it is ours; if it is not, say so in the log."""
    with suppress(OSError):  # it is not there, or whoever uses it says what is wrong
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & 0o077 == 0:
            return
        if found.st_uid == os.geteuid():
            path.chmod(PRIVATE)
            log.info("storage.file_tightened", file=path.name, mode=f"{PRIVATE:o}")
        else:
            log.warning(
                "storage.file_open_to_others", file=path.name, mode=f"{stat.S_IMODE(found.st_mode):o}"
            )
