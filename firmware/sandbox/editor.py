"""A line editor for a serial terminal: echo, backspace, cursor keys, history, completion. One byte
in at a time.

CR, LF and CRLF each end a line. Keys: arrows, Home/Ctrl-A, End, Delete, Backspace, Ctrl-U (clear),
Ctrl-W (word), Tab.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_KEPT = const(10)
_LONGEST = const(2048)
_PROMPT = const("> ")


class Editor:
    """`write(text)` shows text on the terminal; `complete(words)` returns what the last of `words`
    may become; `history` are the lines entered before, and gets those that are entered.
    """

    def __init__(
        self,
        write: "Callable[[str], None]",
        complete: "Callable[[list[str]], list[str]]",
        history: list[str],
    ) -> None:
        self.line = ""
        self._write = write
        self._complete = complete
        self._at = 0
        self._history = history
        self._back = 0  # how far up in the history
        self._escape: "str | Any" = None  # after ESC: the sequence so far
        self._utf8 = b""
        self._after_cr = False

    def feed(self, byte: int) -> str | None:
        """Take one byte; return the line when it ends one, else None."""
        after_cr, self._after_cr = self._after_cr, byte == 13
        if byte < 32:
            self._escape = None  # of a sequence that was not finished
        if self._escape is not None:
            self._on_escape(chr(byte))
        elif byte == 10 and after_cr:
            pass  # CRLF ends one line, not two
        elif byte in (10, 13):
            return self._enter()
        elif byte == 27:
            self._escape = ""
        elif byte in (8, 127):
            self._erase(self._at - 1, self._at)
        elif byte == 1:
            self._move(0)
        elif byte == 21:
            self._erase(0, self._at)
        elif byte == 23:
            self._erase(self.line[: self._at].rstrip().rfind(" ") + 1, self._at)
        elif byte == 9:
            self._on_tab()
        elif byte >= 32:
            self._on_text(byte)
        return None

    def above(self, text: str) -> None:
        """Show a line of text above the line being typed."""
        self._write("\r\x1b[K%s\n" % text)
        self.redraw()

    def redraw(self) -> None:
        """Show prompt and line again, the cursor where it was."""
        behind = len(self.line) - self._at
        cursor = "\x1b[%dD" % behind if behind else ""
        self._write("\r%s%s\x1b[K%s" % (_PROMPT, self.line, cursor))

    def _enter(self) -> str:
        line = self.line.strip()
        self._write("\n")
        if line and line not in self._history[-1:]:
            self._history.append(line)
            if len(self._history) > _KEPT:
                self._history.pop(0)
        self.line, self._at, self._back = "", 0, 0
        self.redraw()
        return line

    def _on_text(self, byte: int) -> None:
        if not 0x80 <= byte < 0xC0:
            self._utf8 = b""  # a character begins, whether the last one was finished or not
        self._utf8 += bytes((byte,))
        try:
            text = self._utf8.decode()
        except (UnicodeError, ValueError):
            if len(self._utf8) >= 4:
                self._utf8 = b""
            return
        self._utf8 = b""
        if len(self.line) < _LONGEST:
            self._insert(text)

    def _insert(self, text: str) -> None:
        at_end = self._at == len(self.line)
        self.line = self.line[: self._at] + text + self.line[self._at :]
        self._at += len(text)
        if at_end:
            self._write(text)
        else:
            self.redraw()

    def _erase(self, start: int, end: int) -> None:
        if 0 <= start < end:
            self.line = self.line[:start] + self.line[end:]
            self._at = start
            self.redraw()

    def _move(self, at: int) -> None:
        self._at = max(0, min(at, len(self.line)))
        self.redraw()

    def _on_escape(self, char: str) -> None:
        # ESC [ … letter, ESC [ digits ~, ESC O letter; a modifier comes behind a semicolon.
        # A up, B down, C right, D left, H and 1~ home, F and 4~ end, 3~ delete
        self._escape += char
        if char in "[O" and len(self._escape) == 1:
            return
        if (char.isdigit() or char == ";") and len(self._escape) < 8:
            return
        key, self._escape = self._escape[1:], None
        at, end = self._at, len(self.line)
        moves = {"C": at + 1, "D": at - 1, "H": 0, "1~": 0, "F": end, "4~": end}
        if key in moves:
            self._move(moves[key])
        elif key in ("A", "B"):
            self._recall(1 if key == "A" else -1)
        elif key == "3~" and at < end:
            self._erase(at, at + 1)

    def _recall(self, step: int) -> None:
        self._back = max(0, min(self._back + step, len(self._history)))
        self.line = self._history[-self._back] if self._back else ""
        self._move(len(self.line))

    def _on_tab(self) -> None:
        words = self.line[: self._at].split(" ")
        found = self._complete(words)
        typed = words[-1]
        shared = _shared_start(found)
        if len(found) == 1:
            self._insert(found[0][len(typed) :] + " ")
        elif len(shared) > len(typed):
            self._insert(shared[len(typed) :])
        elif found:
            self.above("  ".join(found))


def _shared_start(words: list[str]) -> str:
    if not words:
        return ""
    shared = words[0]
    for word in words[1:]:
        while not word.startswith(shared):
            shared = shared[:-1]
    return shared
