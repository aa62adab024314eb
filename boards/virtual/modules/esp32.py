"""`esp32`, after ports/esp32/modesp32.c and esp32_nvs.c: what does not need the chip itself."""

import binascii
import json

import _hw

HEAP_DATA, HEAP_EXEC = 4, 1  # MALLOC_CAP_8BIT, MALLOC_CAP_EXEC
WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True

_NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND, 0x1102
_KEY_TOO_LONG = -4361  # ESP_ERR_NVS_KEY_TOO_LONG, 0x1109


class NVS:
    """A namespace of non-volatile storage; changes are kept from commit() on."""

    def __init__(self, namespace: str) -> None:
        _check_key(namespace)
        self._namespace = namespace
        self._entries = _hw.read_json("nvs.json").get(namespace, {})

    def set_i32(self, key: str, value: int) -> None:
        _check_key(key)
        self._entries[key] = ["i32", int(value)]

    def get_i32(self, key: str) -> int:
        return self._get("i32", key)

    def set_blob(self, key: str, value) -> None:
        _check_key(key)
        self._entries[key] = ["blob", binascii.hexlify(bytes(value)).decode()]

    def get_blob(self, key: str, buffer: bytearray) -> int:
        """Read into `buffer` and return the length; a buffer too small is
        ESP_ERR_NVS_INVALID_LENGTH.
        """
        data = binascii.unhexlify(self._get("blob", key))
        if len(data) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(data)] = data
        return len(data)

    def erase_key(self, key: str) -> None:
        if self._entries.pop(key, None) is None:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self) -> None:
        everything = _hw.read_json("nvs.json")
        everything[self._namespace] = self._entries
        data = json.dumps(everything).encode()
        if len(data) > _hw.NVS_SIZE:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        with _hw.host.open(
            "/nvs.json", "r+b"
        ) as file:  # one write of one length: never half of it
            file.write(data + b" " * (_hw.NVS_SIZE - len(data)))

    def _get(self, kind: str, key: str):
        entry = self._entries.get(key)
        if entry is None or entry[0] != kind:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return entry[1]


def _check_key(key: str) -> None:
    if len(key) > 15:
        raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")


def idf_heap_info(capabilities: int) -> list:
    """Return (total, free, largest free, lowest free) per heap; figures of a plain ESP32 with
    Wi-Fi up.
    """
    return (
        [(16648, 284, 0, 0), (96676, 94000, 53248, 90112)]
        if capabilities & HEAP_DATA
        else [(115792, 54376, 53248, 54376)]
    )


def mcu_temperature() -> int:
    """Return °C (S2, S3, C3, C6)."""
    return 40


def raw_temperature() -> int:
    """Return °F (ESP32)."""
    return 104
