"""The console for people: a prompt with completion and history, the board's lines above it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession, prompt
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout

from host_tools import paths
from host_tools.console.protocol import DONE, FAILED, Answer
from host_tools.console.screen import Screen
from host_tools.console.session import Asked, LostError, Session, State
from host_tools.console.vocabulary import Vocabulary
from host_tools.errors import ToolError
from host_tools.target import Target

GOES_ON = "the board goes on"
_LEAVE, _EVENTS, _LOG = "exit", "events", "log"
_PATIENCE_S = 2.0
_ENDED = object()  # what a prompt returns when the application on the board ends under it


def run(
    target: Target, *, start: bool, timeout_s: float, after: str = GOES_ON, events: bool = True
) -> int:
    """Open the console and serve until it is left. Raises ToolError if there is no sandbox.

    `after` says what becomes of the board then; without `events`, what it says of its own accord
    is hidden.
    """
    screen = Screen(events=events)
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
                self._screen.note(f"left; {self._after}{self._under_way()}")
                return DONE
            if line.split()[:1] == [_EVENTS]:
                self._switch_events(line)
            elif line and self._do(line):
                return DONE

    def _begin(self) -> None:
        board = self._session.board
        self._screen.note(
            f"{self._session.label}: Jobs Sandbox {board.version}, thing {board.thing}"
        )
        for name, arguments, meaning in self._own_commands():
            self._screen.vocabulary.add_command(name, arguments, meaning)
        self._screen.vocabulary.learn_commands(self._quietly("help"))
        self._quietly("jobs")
        for line in self._quietly("status"):
            if line.startswith(("link: ", "last trouble: ")):
                print(line)
        self._screen.note("help lists the commands, Tab completes, Ctrl-D or exit leaves")
        if not self._screen.events:
            self._screen.note("events and log are hidden; `events on` shows them")

    def _own_commands(self) -> tuple[tuple[str, str, str], ...]:
        # (name, arguments, meaning) of what the console does itself
        what = "shows what the board says of its own accord, or hides all but warnings"
        return (
            (_EVENTS, "<on | off>", what),
            (_LEAVE, "", f"leaves this console; {self._after}"),
        )

    def _switch_events(self, line: str) -> None:
        words = line.split()[1:]
        if words not in (["on"], ["off"]):
            self._screen.note("usage: events <on | off>")
            return
        self._screen.events = words == ["on"]
        hidden, self._screen.hidden = self._screen.hidden, 0
        shown = f"shown; {hidden} lines were hidden" if hidden else "shown"
        self._screen.note(
            f"events and log are {shown}"
            if self._screen.events
            else "events and log are hidden, warnings apart; `events on` shows them again"
        )

    def _under_way(self) -> str:
        unanswered = self._session.unanswered
        return f", with `{unanswered[0]}`" if unanswered and self._after == GOES_ON else ""

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
            # Only here: what it prints comes a moment later, and would come over the next prompt
            with patch_stdout(raw=True):
                typed = self._prompt.prompt(f"{thing}> ")
        except KeyboardInterrupt:
            if not self._prompt.default_buffer.text:
                self._screen.note(f"Ctrl-D or exit leaves; {self._after}")
            return ""
        except EOFError:
            return None
        return typed.strip() if isinstance(typed, str) else ""

    def _do(self, line: str) -> bool:
        # whether this was the last command
        before = self._session.unanswered
        command = line.split()[0]
        self._screen.log_is_answer = command == _LOG
        try:
            asked = self._session.send(line)
            if before:
                self._screen.note(f"the board still does `{before[0]}`; `{line}` comes after it")
                return False
            answer = self._answer(asked)
        except ToolError as error:
            self._screen.error(error)
            return False
        self._screen.log_is_answer = False
        if answer is None or answer.status != DONE:
            return False
        if command == "help":
            self._help()
        if command != "quit":
            return False
        self._session.wait_until_ended()
        self._screen.note(f"the sandbox on the board has ended; {self._what_now()}")
        return True

    def _what_now(self) -> str:
        target = self._session.target
        return f"{target.command('console --start')} begins anew" if target.lasts else self._after

    def _answer(self, asked: Asked) -> Answer | None:
        # None if it is not waited for any longer, or the board was reset as asked
        try:
            if not self._session.is_over(asked, min(_PATIENCE_S, self._timeout_s)):
                self._screen.note("the board works on it; Ctrl-C gives you the prompt meanwhile")
            return self._session.answer(asked, self._timeout_s)
        except LostError:
            if not asked.reboots:
                raise
            self._wait_for_reboot()
        except KeyboardInterrupt:
            print()  # behind the ^C that the terminal shows
            self._screen.note(f"the board goes on with `{asked.line}`, its answer will be shown;")
            self._screen.note("it does what you type now after that; Ctrl-D or exit leaves")
        return None

    def _wait_for_reboot(self) -> None:
        self._screen.note("it reboots as asked; waiting until it is back")
        try:
            if not self._session.wait_until_ready(self._timeout_s):
                self._screen.note("it is not back yet; its reset button? `status` asks it")
        except KeyboardInterrupt:
            print()
            self._screen.note("not waited for; it will be told when it is back")

    def _help(self) -> None:
        for name, arguments, meaning in self._own_commands():
            print(f"  {name} {arguments}".rstrip())
            print(f"      {meaning}")

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
