"""Makes docs/troubleshooting.md from the firmware's table of causes.

`python -m host_tools.troubleshooting` writes it (`make docs`), with --check it only says whether
it is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from host_tools import paths

PAGE = paths.ROOT / "docs" / "troubleshooting.md"
TABLE = paths.ROOT / "firmware" / "sandbox" / "causes.txt"

# Title of a section, what it says first, and how the codes in it begin; "" for all others.
_SECTIONS = (
    ("Wi-Fi", "", ("WIFI_",)),
    ("Clock and name", "", ("CLOCK_", "DNS_")),
    ("TCP and TLS", "", ("TCP_", "TLS_", "OUT_OF_MEMORY")),
    ("MQTT: connecting and staying connected", "", ("MQTT_", "SUB", "PUBLISH_", "DROPPED_")),
    ("The connection breaks", "", ("CLOSED_", "CONNECTION_", "NO_", "SEND_", "MALFORMED_")),
    (
        "Answers to job commands",
        "After `<command> rejected:` on the console.\n",
        ("",),
    ),
)
_HEAD = """# Troubleshooting

<!-- Made by `make docs` from firmware/sandbox/causes.txt: change that, not this. -->

First ask the tools, which know more than a page can:

```sh
jobs-sandbox ports
jobs-sandbox doctor
jobs-sandbox console --command status
```

When something fails, the board's log and `status` name one of the codes below, what happened and
what to do; the host tools print a line beginning with `try:`.
"""


def page() -> str:
    """Return the page. Raises ValueError for a row that is not `code~what~remedy`."""
    left = list(rows())
    text = _HEAD
    for title, first, prefixes in _SECTIONS:
        inside = [row for row in left if row[0].startswith(prefixes)]
        left = [row for row in left if row not in inside]
        text += f"\n## {title}\n\n{first}" + ("\n" if first else "")
        text += "| code | what happened | what to do |\n|---|---|---|\n"
        text += "".join(
            f"| `{code}` | {_cell(what)} | {_cell(do)} |\n" for code, what, do in inside
        )
    return text


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield (code, what happened, what to do) of each row of the table."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, what, remedy = line.split("~")
            yield code, what, remedy


def main(page_file: Path = PAGE) -> int:
    """Write the page, or check it; return the exit status."""
    wanted = page()
    if "--check" not in sys.argv[1:]:
        page_file.write_text(wanted, encoding="utf-8")
        return 0
    if page_file.exists() and page_file.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{page_file} is stale\n  try: make docs", file=sys.stderr)
    return 1


def _cell(text: str) -> str:
    # <thing> would be an HTML tag
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    sys.exit(main())
