from sandbox.editor import Editor

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
CTRL_A, CTRL_U, CTRL_W, TAB = b"\x01", b"\x15", b"\x17", b"\t"


class Terminal:
    """An editor on a screen: interprets what it writes as a terminal does."""

    def __init__(self, *words):
        self.lines = [""]  # what stands on the screen, without the prompt's line above
        self.cursor = 0
        self.entered = []
        self.editor = Editor(
            self._show, lambda typed: [w for w in words if w.startswith(typed[-1])], []
        )
        self.editor.redraw()

    def type(self, *keys):
        for key in keys:
            for byte in key.encode() if isinstance(key, str) else key:
                line = self.editor.feed(byte)
                if line is not None:
                    self.entered.append(line)
        return self

    @property
    def line(self):
        return self.lines[-1]

    def _show(self, text):
        i = 0
        while i < len(text):
            c = text[i]
            line = self.lines[-1]
            if c == "\r":
                self.cursor = 0
            elif c == "\n":
                self.lines.append("")
                self.cursor = 0
            elif c == "\x1b":
                end = i + 2
                while text[end].isdigit():
                    end += 1
                if text[end] == "K":
                    self.lines[-1] = line[: self.cursor]
                elif text[end] == "D":
                    self.cursor -= int(text[i + 2 : end])
                else:
                    raise AssertionError("unknown sequence %r" % text[i : end + 1])
                i = end
            else:
                self.lines[-1] = line[: self.cursor] + c + line[self.cursor + 1 :]
                self.cursor += 1
            i += 1


def at(terminal, line, cursor):
    """Check that editor and screen agree."""
    assert terminal.editor.line == line, (terminal.editor.line, line)
    assert terminal.line == "> " + line, (terminal.line, line)
    assert terminal.cursor == 2 + cursor, (terminal.cursor - 2, cursor)


def test_what_is_typed_is_shown():
    at(Terminal().type("help"), "help", 4)


def test_cr_lf_and_crlf_each_end_one_line():
    assert Terminal().type("a\rb\nc\r\nd\n").entered == ["a", "b", "c", "d"]
    assert Terminal().type("\r\r\n\n").entered == ["", "", ""]


def test_a_line_is_given_without_blanks_around_it():
    assert Terminal().type("  status  \r").entered == ["status"]


def test_after_a_line_comes_a_new_prompt():
    terminal = Terminal().type("help\r")
    assert terminal.lines == ["> help", "> "]


def test_backspace_erases_to_the_left():
    at(Terminal().type("abc", b"\x7f"), "ab", 2)
    at(Terminal().type("abc", b"\x08", LEFT, b"\x08"), "b", 0)
    at(Terminal().type(b"\x7f"), "", 0)


def test_delete_erases_to_the_right():
    at(Terminal().type("abc", LEFT, LEFT, DELETE), "ac", 1)
    at(Terminal().type("abc", DELETE), "abc", 3)


def test_the_cursor_moves_within_the_line():
    at(Terminal().type("abc", LEFT), "abc", 2)
    at(Terminal().type("abc", LEFT, LEFT, RIGHT), "abc", 2)
    at(Terminal().type("abc", RIGHT), "abc", 3)
    at(Terminal().type("a", LEFT, LEFT), "a", 0)


def test_home_and_end_go_to_the_ends():
    for home in (HOME, CTRL_A, b"\x1bOH"):
        at(Terminal().type("abc", home), "abc", 0)
    for end in (END, b"\x1bOF"):
        at(Terminal().type("abc", HOME, end), "abc", 3)


def test_typing_in_the_middle_inserts():
    at(Terminal().type("ac", LEFT, "b"), "abc", 2)


def test_ctrl_u_clears_to_the_left():
    at(Terminal().type("abc", CTRL_U), "", 0)
    at(Terminal().type("abc", LEFT, CTRL_U), "c", 0)


def test_ctrl_w_erases_a_word():
    at(Terminal().type("one two", CTRL_W), "one ", 4)
    at(Terminal().type("one two ", CTRL_W), "one ", 4)
    at(Terminal().type("one", CTRL_W), "", 0)
    at(Terminal().type(CTRL_W), "", 0)


def test_keys_that_it_does_not_know_leave_no_trace():
    for key in (
        b"\x1b[5~",  # Page Up
        b"\x1b[15~",  # F5
        b"\x1bOP",  # F1
        b"\x1b[Z",  # Shift-Tab
        b"\x1b[1;5C",  # Ctrl-Right
        b"\x1b[1;2A",  # Shift-Up
        b"\x1b[3;5~",  # Ctrl-Delete
        b"\x1bb",  # Alt-b
        b"\x0c",  # Ctrl-L
        b"\0",
    ):
        at(Terminal().type("ab", key, "c"), "abc", 3)


def test_an_enter_after_a_lone_escape_ends_the_line():
    assert Terminal().type("help", b"\x1b", "\r").entered == ["help"]


def test_the_history_is_walked_with_up_and_down():
    terminal = Terminal().type("one\rtwo\r")
    at(terminal.type(UP), "two", 3)
    at(terminal.type(UP), "one", 3)
    at(terminal.type(UP), "one", 3)
    at(terminal.type(DOWN), "two", 3)
    at(terminal.type(DOWN), "", 0)
    at(terminal.type(DOWN), "", 0)


def test_a_line_from_the_history_can_be_changed_and_entered():
    assert Terminal().type("log info\r", UP, CTRL_W, "debug\r").entered[-1] == "log debug"


def test_repeated_and_empty_lines_are_remembered_once():
    terminal = Terminal().type("one\rone\r\rone\r")
    at(terminal.type(UP, UP), "one", 3)
    assert terminal.editor._history == ["one"]


def test_ten_lines_are_remembered():
    terminal = Terminal().type("".join("line %d\r" % i for i in range(12)))
    at(terminal.type(UP * 20), "line 2", 6)


def test_tab_completes_the_only_choice():
    at(Terminal("status", "help").type("st", TAB), "status ", 7)


def test_tab_completes_what_the_choices_share():
    at(Terminal("describe-a", "describe-b").type("d", TAB), "describe-", 9)


def test_tab_shows_the_choices_above_the_line():
    terminal = Terminal("job-1", "job-2").type("job-", TAB)
    assert terminal.lines == ["job-1  job-2", "> job-"]
    at(terminal, "job-", 4)


def test_tab_without_choice_does_nothing():
    at(Terminal("status").type("x", TAB), "x", 1)


def test_tab_completes_at_the_cursor():
    at(Terminal("status").type("st on", LEFT * 3, TAB), "status  on", 7)


def test_utf8_is_taken_whole():
    for text in ("ü", "€", "😀"):
        terminal = Terminal()
        data = text.encode()
        terminal.type(data[:-1])
        at(terminal, "", 0)
        at(terminal.type(data[-1:]), text, 1)
        at(terminal.type(b"\x7f"), "", 0)


def test_bytes_that_are_no_utf8_do_not_stop_it():
    terminal = Terminal().type(b"\xff\xff\xff\xff", "ok\r")
    assert terminal.entered == ["ok"]


def test_a_broken_character_does_not_swallow_what_follows():
    assert Terminal().type(b"\xc3", "ok\r").entered == ["ok"]


def test_an_enter_after_half_a_character_ends_the_line():
    assert Terminal().type("a", b"\xe2\x82", "\r", "b\r").entered == ["a", "b"]


def test_a_line_does_not_grow_without_end():
    terminal = Terminal()
    terminal.editor._write = lambda text: None
    assert len(terminal.type("x" * 2100, "\r").entered[0]) == 2048


def test_a_line_that_comes_meanwhile_goes_above_the_one_being_typed():
    terminal = Terminal().type("upda", LEFT)
    terminal.editor.above("I 1.000 link: ready")
    assert terminal.lines == ["I 1.000 link: ready", "> upda"]
    at(terminal, "upda", 3)
