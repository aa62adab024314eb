"""Tables of text that stay in flash: rows of fields parted by `~`, read line by line.

The host tools read the same files with this module, so it imports nothing of MicroPython.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


def rows(name: str) -> "Iterator[list[str]]":
    """Yield the rows of the table `name` that lies beside this module, comments left out."""
    with open(__file__.rsplit("/", 1)[0] + "/" + name) as table:
        for line in table:
            if not line.startswith("#"):
                yield line.strip().split("~")


def find(name: str, key: str) -> list[str] | None:
    """Return the row of the table `name` whose first field is `key`, None if it has none."""
    for row in rows(name):
        if row[0] == key:
            return row
    return None
