"""`python -m host_tools.job_documents` writes the schema file; `--check` only compares it."""

from __future__ import annotations

import sys
from pathlib import Path

from host_tools.job_documents.schema import FILE, text


def main(arguments: list[str], file: Path = FILE) -> int:
    """Write the file, or compare it: 1 if it is not up to date."""
    if arguments != ["--check"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text(), "utf-8")
        return 0
    if file.exists() and file.read_text("utf-8") == text():
        return 0
    print(f"{file} is not what the operations say", file=sys.stderr)
    print("  try: python -m host_tools.job_documents", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
