"""The console for people: a prompt with completion and history, the board's lines above it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession, prompt
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout

from host_tools import paths
from host_tools.console import colours
from host_tools.console.protocol import DONE, FAILED, Line
from host_tools.console.session import Session, State
from host_tools.console.vocabulary import Vocabulary
from host_tools.errors import ToolError
from host_tools.target import Target

GOES_ON = "the board goes on"
_LEAVE = "exit"
_ENDED = object()  # what a prompt returns when the application on the board ends under it


class Screen:
    """Prints lines above the prompt, in colours if the terminal has them."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.quiet = False
        self._coloured = colours.wanted(sys.stdout)

    def show(self, line: Line) -> None:
        """Print one of the board's lines, and learn from it."""
        self.vocabulary.learn(line)
        if not self.quiet or line.log_level or line.is_event:
            print(colours.paint(line.text, colours.of(line), self._coloured), flush=True)

    def note(self, text: str) -> None:
        """Print a remark of the console's own."""
        print(colours.paint(f"-- {text}", colours.YELLOW, self._coloured), flush=True)

    def error(self, error: ToolError) -> None:
        """Print what went wrong, and go on."""
        print(colours.paint(f"-- {error.message}", colours.RED, self._coloured), flush=True)
        if error.hint:
            print(f"   try: {error.hint}", flush=True)


def run(target: Target, *, start: bool, timeout_s: float, after: str = GOES_ON) -> int:
    """Open the console and serve until it is left. Raises ToolError if there is no sandbox.

    `after` says what becomes of the board then.
    """
    with patch_stdout(raw=True):
        screen = Screen()
        with Session(target, screen.show, screen.note) as session:
            session.open(may_start=lambda: start or _agreed(f"The {target.label}"))
            return Terminal(session, screen, timeout_s, after).run()


class Terminal:
    """The prompt, over and over."""

    def __init__(self, session: Session, screen: Screen, timeout_s: float, after: str) -> None:
        self._session = session
        self._screen = screen
        self._timeout_s = timeout_s
        self._after = after
        self._prompt: PromptSession[object] = PromptSession(
            history=FileHistory(str(_history_file())),
            completer=_Completer(screen.vocabulary),
            auto_suggest=AutoSuggestFromHistory(),
            complete_while_typing=False,
        )
        session.on_end = self._leave_prompt

    def run(self) -> int:
        """Serve until Ctrl-D, `exit` or `quit`. Returns the exit status."""
        self._begin()
        while True:
            if self._session.state is State.ENDED:
                if not self._restarted():
                    return FAILED
                continue
            line = self._read()
            if line is None or line == _LEAVE:
                self._screen.note(f"left; {self._after}")
                return DONE
            if line and self._do(line):
                return DONE

    def _begin(self) -> None:
        board = self._session.board
        self._screen.note(
            f"{self._session.label}: Jobs Sandbox {board.version}, thing {board.thing}"
        )
        self._screen.vocabulary.add_command(_LEAVE, f"leaves this console; {self._after}")
        self._screen.vocabulary.learn_commands(self._quietly("help"))
        self._quietly("jobs")
        for line in self._quietly("status"):
            if line.startswith(("link: ", "last trouble: ")):
                print(line)
        self._screen.note("help lists the commands, Tab completes, Ctrl-D or exit leaves")

    def _quietly(self, command: str) -> list[str]:
        # A board that is just restarting will be asked by its user, if need be.
        self._screen.quiet = True
        try:
            answer = self._session.command(command, self._timeout_s)
            return answer.lines if answer.status == DONE else []
        except ToolError:
            return []
        finally:
            self._screen.quiet = False

    def _read(self) -> str | None:
        # the line typed, "" for nothing, None for the end
        thing = self._session.board.thing
        try:
            typed = self._prompt.prompt(f"{thing}> ")
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None
        return typed.strip() if isinstance(typed, str) else ""

    def _do(self, line: str) -> bool:
        # whether this was the last command
        try:
            answer = self._session.command(line, self._timeout_s)
        except KeyboardInterrupt:
            self._screen.note("not waited for; the board's answer will be shown when it comes")
            return False
        except ToolError as error:
            self._screen.error(error)
            return False
        if line.split()[0] != "quit" or answer.status != DONE:
            return False
        self._session.wait_until_ended()
        self._screen.note(
            "the sandbox on the board has ended; `jobs-sandbox console --start` begins anew"
        )
        return True

    def _restarted(self) -> bool:
        self._screen.note("the sandbox on the board has ended")
        if not _agreed(f"The {self._session.label}"):
            return False
        try:
            self._session.restart()
        except ToolError as error:
            self._screen.error(error)
            return False
        return True

    def _leave_prompt(self) -> None:
        # called in the session's thread
        app = self._prompt.app
        if app.is_running and app.loop is not None:
            app.loop.call_soon_threadsafe(lambda: app.is_running and app.exit(result=_ENDED))


class _Completer(Completer):
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterable[Completion]:
        words = document.text_before_cursor.lstrip().split(" ")
        for choice in self._vocabulary.choices(words):
            yield Completion(
                choice.text + " ",
                start_position=-len(words[-1]),
                display=choice.text,
                display_meta=choice.meaning,
            )


def _agreed(who: str) -> bool:
    try:
        answer = prompt(f"{who} is at the MicroPython REPL. Start the sandbox? [Y/n] ")
    except (EOFError, KeyboardInterrupt):
        return False
    return answer.strip().lower() in ("", "y", "yes")


def _history_file() -> Path:
    path = paths.home() / "console_history"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return path
