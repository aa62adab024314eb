"""What can be typed: the board's commands, as its `help` lists them, and known job ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from host_tools.console.protocol import Line

_COMMAND = re.compile(r"^  ([a-z][a-z-]*)(?: (.+))?$")
_WHAT = re.compile(r"^ {4,}(.+)$")
_ARGUMENT = re.compile(r"<([^>]+)>|\[([^\]]+)\]")
_JOBS_LINE = re.compile(r"^([a-zA-Z0-9_-]{1,64}) (?:QUEUED|IN_PROGRESS)$")
_JOB_ID = "jobId"
_LISTS = ("inProgressJobs", "queuedJobs", "IN_PROGRESS", "QUEUED")


@dataclass(frozen=True)
class Choice:
    """What the word being typed may become, and what it means."""

    text: str
    meaning: str = ""


class Vocabulary:
    """Learns from what the board prints."""

    def __init__(self) -> None:
        self.job_ids: list[str] = []
        self._meanings: dict[str, str] = {}
        self._arguments: dict[str, str] = {}

    def learn_commands(self, lines: list[str]) -> None:
        """Learn from the board's answer to `help`: a command's line, then what it does."""
        name = ""
        for line in lines:
            if found := _COMMAND.match(line):
                name = found[1]
                self._arguments[name] = found[2] or ""
                self._meanings.setdefault(name, "")
            elif name and (what := _WHAT.match(line)):
                self._meanings[name] = what[1]

    def add_command(self, name: str, arguments: str, meaning: str) -> None:
        """Add a command that the console itself does; the arguments as `help` has them."""
        self._meanings[name] = meaning
        self._arguments[name] = arguments

    def learn(self, line: Line) -> None:
        """Learn job ids from an answer, an event or a line of the board's command `jobs`.

        A list of the incomplete executions replaces what was known, a single one is added.
        """
        if listed := _JOBS_LINE.match(line.text):
            self._add(listed[1])
            return
        name, value = line.content or ("", None)
        if not isinstance(value, dict):
            return
        if name in ("get-pending-job-executions", "JobExecutionsChanged"):
            self.job_ids = []
            for summaries in _lists(value):
                for each in summaries:
                    self._add(each.get(_JOB_ID))
        elif isinstance(value.get("execution"), dict):
            self._add(value["execution"].get(_JOB_ID))

    def choices(self, words: list[str]) -> list[Choice]:
        """Return what the last of `words` may become; it may be empty."""
        typed = words[-1]
        if len(words) == 1:
            found = [Choice(name, meaning) for name, meaning in self._meanings.items()]
        else:
            arguments = _ARGUMENT.findall(self._arguments.get(words[0], ""))[len(words) - 2 :]
            found = self._of("".join(arguments[0])) if arguments else []
        return [choice for choice in found if choice.text.startswith(typed)]

    def _of(self, argument: str) -> list[Choice]:
        if argument == _JOB_ID:
            return [Choice(job_id) for job_id in self.job_ids]
        words = [word.strip() for word in argument.split("|")]
        return [Choice(word) for word in words] if len(words) > 1 else []

    def _add(self, job_id: Any) -> None:
        if isinstance(job_id, str) and job_id not in self.job_ids:
            self.job_ids.append(job_id)


def _lists(value: dict[str, Any]) -> list[list[dict[str, Any]]]:
    jobs = value.get("jobs")
    holder = {**value, **(jobs if isinstance(jobs, dict) else {})}
    found = [holder[name] for name in _LISTS if isinstance(holder.get(name), list)]
    return [[each for each in summaries if isinstance(each, dict)] for summaries in found]
