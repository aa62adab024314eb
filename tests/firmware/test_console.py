import asyncio

from sandbox import VERSION, console

from app_around import FakeApp
from fakes import until

RS, US = b"\x1e", b"\x1f"


class Line:
    """A serial line: what is typed at one end, what the console writes at the other."""

    def __init__(self):
        self.app = FakeApp()
        self.output = ""
        self.faults = []
        self._typed = b""
        self.console = console.Console(self, self.app)
        self.stdout = self
        console.sys = self
        asyncio.create_task(self.console.read())
        asyncio.create_task(self._supervise())

    async def _supervise(self):
        while True:
            try:
                await self.console.work()
            except KeyError as error:
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
    await line.expect("\x1eready %s fake lamp\n" % VERSION)
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
    assert len(line.faults) == 1, "the supervisor hears of it"


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
    await line.expect("lamp\n")
    line.simulate_typing(b"jobs\n")
    await line.expect("\x1e0\n")


async def test_a_person_can_have_the_line_back():
    line = await machine()
    line.simulate_typing(US + b"jobs\r")
    assert "\x1e" not in await line.expect("\r> \x1b[K")


async def test_lines_that_come_while_a_person_types_go_above():
    line = Line()
    line.simulate_typing(b"jo")
    await line.expect("jo")
    line.console.write("I 1.000 link: ready")
    assert line.output == "\r\x1b[KI 1.000 link: ready\n\r> jo\x1b[K"


async def test_lines_before_anyone_types_have_no_ornament():
    line = Line()
    line.console.write("I 1.000 link: ready")
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
    await line.expect("lamp\n")
