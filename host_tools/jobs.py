"""Jobs as an operator makes them: targets, ids, documents; through boto3, each with its AWS CLI
twin.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.boards import BoardDefinition
from host_tools.cloud.access import Cloud, aws_errors
from host_tools.errors import ToolError, UsageError
from host_tools.job_documents import explained
from host_tools.job_documents.check import from_command
from host_tools.output import say_command

ENDED = ("SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "REMOVED", "CANCELED")
# In a topic these stand where a job id does, so that no device can reach such a job
_RESERVED = ("get", "start-next", "notify", "notify-next")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # botocore, iot, shape JobId
_LONGEST_DOCUMENT = 32768  # AWS IoT quotas, "job document"
_SURE_STEP = 1_500  # characters; docs/jobs/README.md, Size
_SURE_ALONE = 2_000
_DOCUMENTS = "docs/jobs/README.md shows what a document can be"


@dataclass(frozen=True)
class Job:
    """A job that was made."""

    job_id: str
    targets: list[str]
    document: dict[str, Any]


def read_document(text: str) -> Any:
    """Return the document in a file, or JSON as it is, or a command such as gpio,led,on.

    What names no file that exists is a command if it has a comma, or no suffix. Raises ToolError
    if it is none of these.
    """
    is_json = text.startswith(("{", "["))
    if not is_json and not _exists(text) and ("," in text or not Path(text).suffix):
        return from_command(text)
    try:
        return json.loads(text if is_json else Path(text).read_text("utf-8"))
    except OSError as error:
        raise ToolError(f"{text}: {error.strerror}", _DOCUMENTS) from error
    except ValueError as error:
        raise ToolError(f"{text[:60]}: not JSON: {error}", _DOCUMENTS) from error


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # a command that is too long for a file's name, for instance
        return False


def check_document(document: Any, board: BoardDefinition | None) -> None:
    """Raise ToolError if a board, or any, would reject the document, or AWS IoT would."""
    rejection = explained(document, board)
    if rejection:
        raise ToolError(f"a board would reject this: {rejection}", _DOCUMENTS)
    if len(json.dumps(document)) > _LONGEST_DOCUMENT:
        raise ToolError(f"AWS IoT takes documents of at most {_LONGEST_DOCUMENT} characters")


def doubt(document: Any) -> str:
    """Return why a board without PSRAM may have no room for a valid document, "" if it has."""
    steps = document.get("steps", [document])
    most = _SURE_STEP if len(steps) > 1 else _SURE_ALONE
    rest = {name: each for name, each in document.items() if name != "steps"}
    parts = {"the document": rest, **{f"steps[{i}]": step for i, step in enumerate(steps)}}
    for where, part in parts.items():
        size = len(json.dumps(part, separators=(",", ":")))
        if size > most:
            return f"{where} has {size} characters: a board without PSRAM has room for {most}"
    return ""


def check_id(job_id: str) -> str:
    """Return the id. Raises UsageError if it cannot be one, or no device could reach the job."""
    if not _ID.fullmatch(job_id):
        raise UsageError(f"{job_id!r} cannot be a job's id", "1 to 64 of a-z A-Z 0-9 _ -")
    if job_id in _RESERVED:
        raise UsageError(
            f"the job id {job_id} is a topic of the Jobs service: no device could reach the job",
            f"{job_id}-1",
        )
    return job_id


def new_id(document: Any) -> str:
    """Return an id that tells what the job is for, and when it was made."""
    name = document.get("operation", "job") if isinstance(document, dict) else "job"
    name = re.sub(r"[^a-zA-Z0-9-]", "-", str(name))[:40]
    return f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() // 1_000_000 % 1000:03d}"


def target_arn(cloud: Cloud, thing: str | None, group: str | None) -> str:
    """Return the ARN of a thing or a thing group. Raises ToolError if there is none."""
    iot = cloud.client("iot")
    with aws_errors():
        if group:
            return str(iot.describe_thing_group(thingGroupName=group)["thingGroupArn"])
        return str(iot.describe_thing(thingName=thing)["thingArn"])


def create(cloud: Cloud, target: str, document: Any, job_id: str) -> Job:
    """Make the job and show the command that does the same. Raises ToolError, for an id that
    another job has as well.
    """
    text = json.dumps(document, separators=(",", ":"))
    _say("create-job", "--job-id", job_id, "--targets", target, "--document", text)
    iot = cloud.client("iot")
    with aws_errors():
        try:
            iot.create_job(jobId=job_id, targets=[target], document=text)
        except iot.exceptions.ResourceAlreadyExistsException as error:
            taken = iot.describe_job(jobId=job_id)["job"]
            raise ToolError(
                f"the job id {job_id} is taken by a job {_described(taken)}",
                "another --job-id, or none: then the operation and the time make one",
            ) from error
    return Job(job_id, [target], document)


def _described(job: dict[str, Any]) -> str:
    targets = ", ".join(each.rpartition("/")[2] for each in job["targets"])
    return f"for {targets}, {job['status']}, made at {job['createdAt']:%Y-%m-%d %H:%M}"


def executions(cloud: Cloud, job_id: str) -> dict[str, dict[str, Any]]:
    """Return the job's executions by thing: {"status", …}. Raises ToolError, if there is no such
    job as well.
    """
    found = {}
    iot = cloud.client("iot")
    with aws_errors():
        try:
            pages = iot.get_paginator("list_job_executions_for_job").paginate(jobId=job_id)
            for page in pages:
                for each in page["executionSummaries"]:
                    found[each["thingArn"].rpartition("/")[2]] = each["jobExecutionSummary"]
        except iot.exceptions.ResourceNotFoundException as error:
            raise ToolError(f"there is no job {job_id}", "`jobs-sandbox job list`") from error
    return found


def execution(cloud: Cloud, job_id: str, thing: str) -> dict[str, Any]:
    """Return one execution with its statusDetails as a plain object."""
    with aws_errors():
        answer = cloud.client("iot").describe_job_execution(jobId=job_id, thingName=thing)
    found: dict[str, Any] = answer["execution"]
    return {**found, "statusDetails": found.get("statusDetails", {}).get("detailsMap", {})}


def listed(cloud: Cloud, thing: str | None) -> list[dict[str, Any]]:
    """Return the jobs, or a thing's executions: [{"jobId", "status", …}], the newest first."""
    iot = cloud.client("iot")
    with aws_errors():
        if thing is None:
            _say("list-jobs")
            return [
                job for page in iot.get_paginator("list_jobs").paginate() for job in page["jobs"]
            ]
        _say("list-job-executions-for-thing", "--thing-name", thing)
        pages = iot.get_paginator("list_job_executions_for_thing").paginate(thingName=thing)
        return [
            {"jobId": each["jobId"], **each["jobExecutionSummary"]}
            for page in pages
            for each in page["executionSummaries"]
        ]


def cancel(cloud: Cloud, job_id: str, thing: str | None, force: bool) -> None:
    """Cancel a job, or one thing's execution of it; one in progress only with `force`."""
    iot = cloud.client("iot")
    more = ["--force"] if force else []
    with aws_errors():
        if thing is None:
            _say("cancel-job", "--job-id", job_id, *more)
            iot.cancel_job(jobId=job_id, force=force)
        else:
            _say("cancel-job-execution", "--job-id", job_id, "--thing-name", thing, *more)
            iot.cancel_job_execution(jobId=job_id, thingName=thing, force=force)


def _say(*words: str) -> None:
    say_command(["jobs-sandbox", "aws", "iot", *words])
