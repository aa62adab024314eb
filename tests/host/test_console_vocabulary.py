"""What can be completed: commands and arguments from the board's help, job ids from its output."""

from __future__ import annotations

import json

import pytest

from host_tools.console.protocol import Line
from host_tools.console.vocabulary import Choice, Vocabulary

HELP = """\
  get-pending-job-executions
      gets the state of all incomplete job executions for this thing
  update-job-execution <jobId> <SUCCEEDED | IN_PROGRESS | FAILED>
      updates the status
  executor <on | off>
      runs jobs by itself
  log [error | info]
      shows the log""".splitlines()


@pytest.fixture
def vocabulary() -> Vocabulary:
    made = Vocabulary()
    made.learn_commands(HELP)
    return made


def texts(vocabulary: Vocabulary, *words: str) -> list[str]:
    return [choice.text for choice in vocabulary.choices(list(words))]


def learn(vocabulary: Vocabulary, what: str, value: object) -> None:
    form = "Received {} event:  {}" if what[0].isupper() else "{} result: {}"
    vocabulary.learn(Line(form.format(what, json.dumps(value))))


def test_commands_with_their_meaning(vocabulary: Vocabulary) -> None:
    assert vocabulary.choices(["ex"]) == [Choice("executor", "runs jobs by itself")]
    vocabulary.add_command("exit", "", "leaves")
    assert texts(vocabulary, "ex") == ["executor", "exit"]
    assert len(texts(vocabulary, "")) == 5


def test_arguments(vocabulary: Vocabulary) -> None:
    assert texts(vocabulary, "executor", "o") == ["on", "off"]
    assert texts(vocabulary, "log", "i") == ["info"]
    assert texts(vocabulary, "update-job-execution", "job", "F") == ["FAILED"]
    assert texts(vocabulary, "executor", "on", "") == []
    assert texts(vocabulary, "unknown", "") == []


def test_list_of_executions_replaces_the_known_ids(vocabulary: Vocabulary) -> None:
    pending = {"inProgressJobs": [{"jobId": "a"}], "queuedJobs": [{"jobId": "b"}]}
    learn(vocabulary, "get-pending-job-executions", pending)
    assert texts(vocabulary, "update-job-execution", "") == ["a", "b"]
    learn(vocabulary, "JobExecutionsChanged", {"jobs": {"QUEUED": [{"jobId": "c"}]}})
    assert vocabulary.job_ids == ["c"]
    learn(vocabulary, "JobExecutionsChanged", {"jobs": {}})
    assert vocabulary.job_ids == []


def test_single_execution_is_added(vocabulary: Vocabulary) -> None:
    learn(vocabulary, "NextJobExecutionChanged", {"execution": {"jobId": "a"}})
    learn(vocabulary, "start-next-pending-job-execution", {"execution": {"jobId": "b"}})
    learn(vocabulary, "NextJobExecutionChanged", {"execution": {"jobId": "a"}})
    vocabulary.learn(Line("c IN_PROGRESS"))
    assert vocabulary.job_ids == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "I 1.000 jobs: a started",
        "get-pending-job-executions result: {not json}",
        'get-pending-job-executions result: {"queuedJobs": [7]}',
        'NextJobExecutionChanged result: {"execution": []}',
        "no incomplete job executions",
    ],
)
def test_other_lines_teach_nothing(vocabulary: Vocabulary, text: str) -> None:
    vocabulary.learn(Line(text))
    assert vocabulary.job_ids == []
