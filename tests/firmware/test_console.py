import asyncio

from sandbox import VERSION, console

import lapse
from app_around import FakeApp
from fakes import until

RS, US = b"\x1e", b"\x1f"


_Console = console.Console


class Line:
    """A serial line: what is typed at one end, what the console writes at the other."""

    def __init__(self):
        self.app = FakeApp()
        self.output = ""
        self.loaded = 0
        self.console = None
        self._typed = b""
        self.stdout = self
        self.faults = []
        console.sys = self
        console.Console = self._load
        asyncio.create_task(self._talk())

    def _load(self, app, source):
        self.loaded += 1
        self.console = _Console(app, source)
        return self.console

    async def _talk(self):
        while True:
            await console.serve(self.app, self, await self.read(1))
            self.console = None

    def print_exception(self, error):
        self.faults.append(error)

    def write(self, text):
        self.output += text

    async def read(self, size):
        assert size == 1, "a longer read blocks the whole loop"
        await until(lambda: self._typed)
        byte, self._typed = self._typed[:1], self._typed[1:]
        return byte

    def simulate_typing(self, keys):
        self._typed += keys

    async def expect(self, text):
        """Wait for the output to end in `text`, and forget it."""
        await until(lambda: self.output.endswith(text), repr(text))
        seen, self.output = self.output, ""
        return seen


async def machine():
    line = Line()
    line.simulate_typing(RS)
    await line.expect("\x1eready %s fake lamp 0\n" % VERSION)
    return line


async def test_a_person_sees_a_prompt_what_is_typed_and_the_answer():
    line = Line()
    line.simulate_typing(b"jobs\r")
    seen = await line.expect("no incomplete job executions\n\r> \x1b[K")
    assert seen.startswith("\r> \x1b[Kjobs\n\r> \x1b[K"), seen


async def test_a_machine_is_greeted_and_gets_no_echo_and_no_prompt():
    line = await machine()
    line.simulate_typing(b"jobs\n")
    assert await line.expect("\x1e0\n") == "no incomplete job executions\n\x1e0\n"


async def test_a_machine_is_told_how_a_command_ended():
    line = await machine()
    line.app.simulate_service("rejected", code="ResourceNotFound", message="none")
    for command, status in (
        (b"jobs", "0"),
        (b"describe-job-execution x", "1"),
        (b"executor maybe", "2"),
        (b"nothing", "2"),
    ):
        line.simulate_typing(command + b"\r\n")
        await line.expect("\x1e%s\n" % status)


async def test_a_command_that_fails_by_a_fault_of_ours_is_answered_too():
    line = await machine()

    async def fail():
        raise KeyError("oops")

    line.app.jobs.get_pending = fail
    line.simulate_typing(b"get-pending-job-executions\njobs\n")
    await line.expect("\x1e1\nno incomplete job executions\n\x1e0\n")
    assert len(line.faults) == 1, "it is shown"


async def test_commands_are_answered_in_order():
    line = await machine()
    line.simulate_typing(b"jobs\nnothing\njobs\n")
    await until(lambda: line.output.count("\x1e") == 3)
    statuses = [part[0] for part in line.output.split("\x1e")[1:]]
    assert statuses == ["0", "2", "0"]


async def test_empty_lines_of_a_machine_are_no_commands():
    line = await machine()
    line.simulate_typing(b"\r\n\n  \njobs\n")
    assert (await line.expect("\x1e0\n")).count("\x1e") == 1


async def test_a_line_that_is_no_utf8_is_refused():
    line = await machine()
    line.simulate_typing(b"jobs \xff\xfe\n")
    await line.expect("\x1e2\n")


async def test_a_line_without_end_takes_no_memory():
    line = await machine()
    line.simulate_typing(b"x" * 3000)
    await until(lambda: not line._typed)
    assert len(line.console._line) <= 2048
    line.simulate_typing(b"\n")
    await line.expect("\x1e2\n")


async def test_greeting_again_forgets_what_was_begun():
    line = await machine()
    line.simulate_typing(b"nothi" + RS)
    await line.expect("lamp 0\n")
    line.simulate_typing(b"jobs\n")
    await line.expect("\x1e0\n")


async def test_greeting_tells_how_many_commands_are_not_done():
    line = Line()
    line.simulate_typing(b"get-pending-job-executions\rjobs\r")
    await until(lambda: line.app.link.sent)
    line.simulate_typing(RS)
    await line.expect("lamp 2\n")
    line.app.link.simulate_answer("accepted", queuedJobs=[])
    await until(lambda: line.output.count("\x1e0\n") == 2)
    line.simulate_typing(RS)
    await line.expect("lamp 0\n")


async def test_a_person_can_have_the_line_back():
    line = await machine()
    line.simulate_typing(US + b"jobs\r")
    assert "\x1e" not in await line.expect("\r> \x1b[K")


async def test_lines_that_come_while_a_person_types_go_above():
    line = Line()
    line.simulate_typing(b"jo")
    await line.expect("jo")
    line.app.log.write("I 1.000 link: ready")
    assert line.output == "\r\x1b[KI 1.000 link: ready\n\r> jo\x1b[K"


async def test_lines_in_front_of_a_machine_have_no_ornament():
    line = await machine()
    line.app.log.write("I 1.000 link: ready")
    assert line.output == "I 1.000 link: ready\n"


async def test_typing_goes_on_while_a_command_waits():
    line = Line()
    line.simulate_typing(b"get-pending-job-executions\r")
    await until(lambda: line.app.link.sent)
    line.simulate_typing(b"jo")
    await line.expect("jo")
    line.app.link.simulate_answer("accepted", queuedJobs=[])
    await until(lambda: "result" in line.output)


async def test_a_terminal_that_went_away_may_come_back():
    line = Line()
    read = line.read

    async def gone(size):
        line.read = read
        return b""

    line.read = gone
    await asyncio.sleep_ms(1)
    line.simulate_typing(RS)
    await line.expect("lamp 0\n")


# Its coming and going


async def test_a_person_who_types_no_more_has_gone_and_may_come_back():
    line = Line()
    write = line.app.log.write
    line.simulate_typing(b"jobs\r")
    await line.expect("executions\n\r> \x1b[K")
    await until(lambda: not line.console)
    assert line.output == "\r\x1b[K", "the prompt is taken away"
    assert line.app.log.write == write
    line.output = ""
    line.simulate_typing(b"\x1b[A")
    await line.expect("\r> jobs\x1b[K")
    assert line.loaded == 2, "what was typed is remembered all the same"


async def test_who_has_not_finished_a_line_and_a_machine_are_waited_for():
    line = Line()
    line.simulate_typing(b"jo")
    await asyncio.sleep(70 / lapse.FACTOR)
    line.simulate_typing(b"bs\r")
    await line.expect("executions\n\r> \x1b[K")
    line.simulate_typing(RS)
    await line.expect("lamp 0\n")
    await asyncio.sleep(70 / lapse.FACTOR)
    line.simulate_typing(b"jobs\n")
    await line.expect("\x1e0\n")
    assert line.loaded == 1


async def test_a_machine_that_has_gone_is_not_waited_for():
    line = await machine()
    line.simulate_typing(b"jobs\n")
    await line.expect("\x1e0\n")
    line.simulate_typing(US)
    await until(lambda: not line.console)


async def test_a_machine_that_comes_back_at_once_is_served():
    line = await machine()
    line.app.simulate_service("accepted")
    line.simulate_typing(b"get-pending-job-executions\n" + US + RS + b"jobs\n")
    await line.expect("no incomplete job executions\n\x1e0\n")


async def test_a_byte_that_there_is_no_room_for_costs_a_machine_one_command():
    line = await machine()
    collect = line.console._collect

    def crowded(byte):
        line.console._collect = collect
        raise MemoryError

    line.console._collect = crowded
    line.simulate_typing(b"jobs\njobs\n")
    await until(lambda: line.output.count("\x1e") == 2)
    assert line.output.endswith("no incomplete job executions\n\x1e0\n")
    assert len(line.faults) == 1 and line.loaded == 1
