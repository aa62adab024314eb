"""`machine.Pin`, after ports/esp32/machine_pin.c; every change of what a pad drives is recorded.

A level outlives a soft reset and machine.reset() (IDF, esp_restart: "peripherals … are not
reset"), not a power cut. An input reads what `inputs.json` says (`jobs-sandbox board pins
--set`), else its pull.
"""

import _chips
import _hw

_INPUT, _OUTPUT, _OPEN_DRAIN = 1, 2, 4  # hal/gpio_types.h, GPIO_MODE_DEF_*
_PULL_UP = 2
_UNSET = object()

_all = {}


class Pin:
    """One GPIO. There is one object per pin, as on the chip."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING, WAKE_LOW, WAKE_HIGH = 1, 2, 4, 5
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3

    class board:
        pass

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        if not isinstance(id, int) or id not in _chips.pins(_hw.chip):
            raise ValueError("invalid pin")
        return _all.get(id) or object.__new__(cls)

    def __init__(self, id, *args, **kwargs) -> None:
        if id is not self and id not in _all:
            self._power_up(id)
        if args or kwargs:
            self.init(*args, **kwargs)

    def _power_up(self, id: int) -> None:
        _all[id] = self
        self._id = id
        level = _hw.edges.last.get(str(id), "z")
        self._seen = level
        self._level = level if level in (0, 1) else 0
        self._mode = Pin.OUT if level in (0, 1) else _INPUT
        self._pull = 0

    def __repr__(self) -> str:
        return "Pin(%d)" % self._id

    def init(self, mode=None, pull=-1, *, value=_UNSET, drive=None, hold=None) -> None:
        """Configure. Raises ValueError for an output on an input-only pin."""
        if value is not _UNSET:
            self._level = int(bool(value))
        if mode is not None:
            first = _chips.first_input_only(_hw.chip)
            if first is not None and self._id >= first and mode & _OUTPUT:
                raise ValueError("pin can only be input")
            self._mode = mode
        if pull != -1:
            self._pull = pull or 0
        self._drive()

    def value(self, value=_UNSET):
        """Read the pad, or set the output register."""
        if value is _UNSET:
            return self._read()
        self._level = int(bool(value))
        self._drive()

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    def toggle(self) -> None:
        self.value(not self._level)

    def _driven(self):
        # what the pad drives: 0, 1 or "z" for nothing
        if not self._mode & _OUTPUT or (self._mode & _OPEN_DRAIN and self._level):
            return "z"
        return self._level

    def _drive(self) -> None:
        driven = self._driven()
        if driven != self._seen:
            self._seen = driven
            _hw.edges.record(self._id, driven)

    def _read(self) -> int:
        if not self._mode & _INPUT:
            return 0
        driven = self._driven()
        if driven != "z":
            return driven
        return _hw.read_json("inputs.json").get(str(self._id), int(self._pull == _PULL_UP))


class Signal:
    """A pin with its polarity (extmod/machine_signal.c)."""

    def __init__(self, pin, *args, invert: bool = False) -> None:
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *args)
        self._invert = bool(invert)

    def value(self, value=_UNSET):
        if value is _UNSET:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(value) ^ self._invert)

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)


def bitstream(pin: Pin, encoding: int, timing, data) -> None:
    """Send `data` to the pin as WS2812-like pulses; recorded as one edge "rgb" with the bytes
    in hex.
    """
    if encoding != 0:
        raise ValueError("encoding")
    _hw.edges.record(pin._id, "rgb", data="".join("%02x" % byte for byte in data))
