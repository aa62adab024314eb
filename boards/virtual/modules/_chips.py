"""What pins each chip has, from ports/esp32/machine_pin.h; generic builds without PSRAM."""


def _pins(*ranges) -> frozenset:
    return frozenset(gpio for first, last in ranges for gpio in range(first, last + 1))


# chip: (pins that Pin() accepts, first input-only pin or None, pins that ADC() accepts)
_TABLE = {
    "ESP32": (
        _pins((0, 23), (25, 27), (32, 39)),
        34,
        _pins((0, 0), (2, 2), (4, 4), (12, 15), (25, 27), (32, 39)),
    ),
    "ESP32S2": (_pins((0, 18), (21, 21), (26, 26), (33, 46)), 46, _pins((1, 18))),
    "ESP32S3": (_pins((0, 21), (26, 26), (33, 48)), None, _pins((1, 20))),
    "ESP32C3": (_pins((0, 13), (20, 21)), None, _pins((0, 5))),
    "ESP32C6": (_pins((0, 11), (14, 23)), None, _pins((0, 6))),
}


def pins(chip: str) -> frozenset:
    return _TABLE[chip][0]


def first_input_only(chip: str) -> int | None:
    return _TABLE[chip][1]


def adc_pins(chip: str) -> frozenset:
    return _TABLE[chip][2]
