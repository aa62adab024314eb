"""The rules of `arguments` that most operations have no need of; loaded for one."""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORD = const("abcdefghijklmnopqrstuvwxyz0123456789")
_LONGEST_URL = const(2048)
_LONGEST_NAME = const(48)


def judge(rule: tuple, value: "Any") -> "tuple[bool, str]":
    """Return whether a value keeps a rule, and what the rule asks for."""
    kind = rule[0]
    text = value if isinstance(value, str) else ""
    if kind == "text":
        good = 0 < len(text) <= rule[1] and all(c >= " " and c != "\x7f" for c in text)
        what = "text of at most %d characters" % rule[1]
    elif kind == "hex":
        good, what = _is_hex(text, rule[1]), "%d hexadecimal digits" % rule[1]
    elif kind == "colour":
        good, what = text[:1] == "#" and _is_hex(text[1:], 6), 'a colour "#rrggbb"'
    elif kind == "file":
        good = text[:7] == "/files/" and _is_name(text[7:], "._-")
        what = "/files/ and a name of letters, digits, . _ -"
    elif kind == "url":
        rest = text.partition("://")[2]
        good = text[:8] == "https://" or text[:7] == "http://"
        good = (
            good
            and len(text) <= _LONGEST_URL
            and rest[:1] != "/"
            and all("!" <= c <= "~" for c in rest)
        )
        good, what = good and bool(rest), "an http or https URL"
    else:
        hosts = value if isinstance(value, list) else ()
        good = 0 < len(hosts) <= rule[1] and all(_is_name(host, ".-") for host in hosts)
        what = "a list of 1 to %d host names" % rule[1]
    return good, what


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and all(c in "0123456789abcdef" for c in text.lower())


def _is_name(text: "Any", marks: str) -> bool:
    return (
        isinstance(text, str)
        and 0 < len(text) <= _LONGEST_NAME
        and text[0] != "."
        and all(c in _WORD or c in marks for c in text.lower())
    )
