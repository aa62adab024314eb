"""Makes the short strings of a compiled module objects, which go with it, rather than names.

mpy-cross makes a name of each string constant of up to ten characters, and MicroPython keeps names
for ever (see `shorten`), 9 to 18 bytes each, and twice as much room for all of them when there are
more than 300. A module that is lent gives its memory back: as objects, its strings go, too.

A .mpy file, version 6 (py/persistentcode.c, py/bc.h, py/bc0.h): b"M", version, flags, bits of a
small integer; how many names, how many objects; the names: length times two and the text, or the
number of one that every MicroPython has, times two plus one; the objects; the code of the module,
with that of its functions in it. Numbers have seven bits a byte, the highest first. The code takes
a string by its number: LOAD_CONST_STRING that of a name, LOAD_CONST_OBJ that of an object. So
nothing in it moves. MicroPython itself makes no second one of a string that it knows as a name.

Comprehensions, which are functions of their own, are all called `_`: their names take ten bytes of
flash a module, and a traceback tells the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

_VERSION = 6
_LOAD_CONST_STRING, _LOAD_CONST_OBJ = 0x10, 0x23
_STRING, _BYTES, _COMPLEX, _TUPLE = 5, 6, 9, 10  # kinds of objects; between, numbers as text
# Names that every MicroPython has (py/makeqstrdata.py, static_qstr_list): "" and "_"
_EMPTY, _UNDERSCORE = b"\x03", b"\x11"
_NAMELESS = {"<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"}  # functions, in tracebacks only
_NOT_MOVED = 0x80  # numbers from here on take more than one byte
# The function whose strings are to be names: see firmware/sandbox/setup.py
_KEPT = "intern"


class UnknownFormatError(Exception):
    """The file is not one that can be read here; the text says why."""


def unname(compiled: bytes, kept: Set[str]) -> bytes:
    """Return the module with its strings as objects, but for what it uses as a name, too, and for
    those that are `kept`: names of others, and names by which calls give arguments, which must be
    names (py/bc.c compares them by number). Raises UnknownFormatError.
    """
    module = _Module(compiled)
    code = bytearray(module.code)
    objects: list[bytes] = []
    for number, name in enumerate(module.names):
        if name in _NAMELESS:
            module.raw_names[number] = _UNDERSCORE
    for number in sorted(module.strings):
        new = module.objects + len(objects)
        text = module.names[number]
        if text is None or text in kept or number in module.needed or new >= _NOT_MOVED:
            continue
        for at in module.strings[number]:
            # as many bytes as before
            more = b"\x80" if code[at + 1] & 0x80 else b""
            code[at : at + 2 + len(more)] = bytes((_LOAD_CONST_OBJ,)) + more + bytes((new,))
        data = text.encode()
        objects.append(bytes((_STRING,)) + _number(len(data)) + data + b"\0")
        module.raw_names[number] = _EMPTY
    return b"".join(
        (
            compiled[:4],
            _number(len(module.names)),
            _number(module.objects + len(objects)),
            *module.raw_names,
            module.raw_objects,
            *objects,
            code,
        )
    )


def names(compiled: bytes) -> set[str]:
    """Return the names that MicroPython keeps once it has loaded the module, but for those that
    every MicroPython has. Raises UnknownFormatError.
    """
    return {name for name in _Module(compiled).names if name is not None}


@dataclass
class _Module:
    # What a .mpy file holds. Of `names`, None is one that every MicroPython has; `strings` tells
    # by a name's number where in `code` it is taken as a string; `needed` are the numbers of those
    # that are needed as names.
    compiled: bytes
    names: list[str | None] = field(default_factory=list)
    raw_names: list[bytes] = field(default_factory=list)
    objects: int = 0
    raw_objects: bytes = b""
    code: bytes = b""
    strings: dict[int, list[int]] = field(default_factory=dict)
    needed: set[int] = field(default_factory=lambda: {0})  # 0: the file, in tracebacks

    def __post_init__(self) -> None:
        if self.compiled[:2] != bytes((ord("M"), _VERSION)):
            raise UnknownFormatError("no .mpy file of version 6")
        self._at = 4
        try:
            count, self.objects = self._take(), self._take()
            for _ in range(count):
                self._take_name()
            begin = self._at
            for _ in range(self.objects):
                self._take_object()
            self.raw_objects = self.compiled[begin : self._at]
            self._begin = self._at
            self.code = self.compiled[self._at :]
            self._take_code()
        except IndexError:
            raise UnknownFormatError("it ends in its middle") from None
        if self._at != len(self.compiled):
            raise UnknownFormatError("there is more behind its end")

    def _take_bytes(self) -> list[int]:
        # seven bits each, the last one below 0x80
        taken: list[int] = []
        while not taken or taken[-1] & 0x80:
            taken.append(self.compiled[self._at])
            self._at += 1
        return taken

    def _take(self) -> int:
        number = 0
        for byte in self._take_bytes():
            number = number << 7 | byte & 0x7F
        return number

    def _take_name(self) -> None:
        begin = self._at
        length = self._take()
        text = None
        if not length & 1:
            text = self.compiled[self._at : self._at + (length >> 1)].decode()
            self._at += (length >> 1) + 1
        self.names.append(text)
        self.raw_names.append(self.compiled[begin : self._at])

    def _take_object(self) -> None:
        kind = self.compiled[self._at]
        self._at += 1
        if kind == _TUPLE:
            for _ in range(self._take()):
                self._take_object()
        elif _STRING <= kind <= _COMPLEX:
            length = self._take()
            self._at += length + (kind in (_STRING, _BYTES))  # these have a zero behind them
        elif kind > _TUPLE:
            raise UnknownFormatError(f"an object of kind {kind}")

    def _take_code(self) -> None:
        head = self._take()
        if head & 3:
            raise UnknownFormatError("code for one kind of processor")
        end = self._at + (head >> 3)
        name = self._take_prelude()
        for opcode, at, number in self._instructions(end):
            if opcode == _LOAD_CONST_STRING and name != _KEPT:
                self.strings.setdefault(number, []).append(at - self._begin)
            else:
                self.needed.add(number)
        if head & 4:
            for _ in range(self._take()):
                self._take_code()

    def _take_prelude(self) -> str | None:
        # The function's name, which is returned, and its arguments'
        first, *others = self._take_bytes()
        arguments = first & 3
        for i, byte in enumerate(others):
            arguments += (byte & 4) << i  # by place
            arguments += (byte >> 3 & 1) << i  # by name only
        information = cells = 0
        for i, byte in enumerate(self._take_bytes()):
            information |= (byte >> 1 & 0x3F) << 6 * i
            cells |= (byte & 1) << i
        end = self._at + information + cells
        name, *_ = numbers = [self._take() for _ in range(1 + arguments)]
        self.needed.update(numbers)
        self._at = end
        return self.names[name]

    def _instructions(self, end: int) -> Iterator[tuple[int, int, int]]:
        # (opcode, where it is, number of a name) of those that take a name
        while self._at < end:
            begin = self._at
            opcode = self.compiled[begin]
            self._at += 1
            if opcode >> 4 == 1:
                yield opcode, begin, self._take()
            elif opcode >> 4 in (2, 3):
                self._take()
            elif opcode >> 4 == 4:  # where to jump
                self._at += 2 if self.compiled[self._at] & 0x80 else 1
            if not opcode & 0x9E:
                self._at += 1
        if self._at != end:
            raise UnknownFormatError("an instruction that goes beyond its function")


def _number(number: int) -> bytes:
    # seven bits a byte
    more = b""
    while number > 0x7F:
        more = bytes((number & 0x7F | (0x80 if more else 0),)) + more
        number >>= 7
    return bytes((number | (0x80 if more else 0),)) + more
