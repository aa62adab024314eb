"""`machine.PWM` and `machine.ADC`, after ports/esp32/machine_pwm.c and machine_adc.c."""

import _chips
import _hw
from _machine_pin import Pin

_MAX_U16 = 65535


class PWM:
    """A pin driven by the LED PWM; each change is recorded as an edge "pwm" with `freq` and
    `duty_u16`.
    """

    def __init__(self, pin, freq: int = 5000, *, duty=None, duty_u16=None, duty_ns=None) -> None:
        self._pin = pin if isinstance(pin, Pin) else Pin(pin)
        first = _chips.first_input_only(_hw.chip)
        if first is not None and self._pin._id >= first:
            raise ValueError("invalid pin")
        self._freq, self._duty = 5000, 32768
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None) -> None:
        if freq is not None:
            self._set_freq(freq)
        if duty is not None:
            self._set_duty(duty * 64, "duty should be 0-1023", duty <= 1023)
        if duty_u16 is not None:
            self._set_duty(duty_u16, "duty_u16 should be 0-65535")
        if duty_ns is not None:
            self._set_duty(duty_ns * self._freq * _MAX_U16 // 1000000000, "duty_ns is too long")
        self._record()

    def freq(self, hz: int | None = None) -> int | None:
        if hz is None:
            return self._freq
        self.init(freq=hz)

    def duty(self, duty: int | None = None) -> int | None:
        if duty is None:
            return self._duty // 64
        self.init(duty=duty)

    def duty_u16(self, duty: int | None = None) -> int | None:
        if duty is None:
            return self._duty
        self.init(duty_u16=duty)

    def duty_ns(self, duty: int | None = None) -> int | None:
        if duty is None:
            return self._duty * 1000000000 // (self._freq * _MAX_U16)
        self.init(duty_ns=duty)

    def deinit(self) -> None:
        self._pin._drive()

    def _set_freq(self, hz: int) -> None:
        if not 0 < hz <= 40000000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._freq = hz

    def _set_duty(self, duty: int, message: str, in_range: bool = True) -> None:
        if not in_range or not 0 <= duty <= _MAX_U16:
            raise ValueError(message)
        self._duty = duty

    def _record(self) -> None:
        self._pin._seen = "pwm"
        _hw.edges.record(self._pin._id, "pwm", freq=self._freq, duty_u16=self._duty)


class ADC:
    """An analogue input; reads the volts set with `board pins --set adc34=1.2`, else 0."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12
    _FULL_SCALE_UV = (
        950000,
        1250000,
        1750000,
        2450000,
    )  # IDF, suggested input ranges of the ESP32

    def __init__(self, pin, *, atten: int = ATTN_0DB) -> None:
        self._id = pin._id if isinstance(pin, Pin) else pin
        if self._id not in _chips.adc_pins(_hw.chip):
            raise ValueError("invalid pin")
        self.atten(atten)
        self._bits = 12

    def atten(self, atten: int) -> None:
        if atten not in (0, 1, 2, 3):
            raise ValueError("invalid attenuation")
        self._atten = atten

    def width(self, bits: int) -> None:
        if not 9 <= bits <= 12:
            raise ValueError("invalid bits")
        self._bits = bits

    def read_uv(self) -> int:
        volts = _hw.read_json("inputs.json").get("adc%d" % self._id, 0)
        return max(0, min(int(volts * 1000000), self._FULL_SCALE_UV[self._atten]))

    def read_u16(self) -> int:
        return self.read_uv() * _MAX_U16 // self._FULL_SCALE_UV[self._atten]

    def read(self) -> int:
        return self.read_u16() >> (16 - self._bits)
