"""UpdateJobExecution for the execution in the journal, with its version. Loaded for one."""

from .errors import JobsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .executor import Executor


async def update(executor: "Executor", status: str, details: dict, minutes: int = 0) -> None:
    """Update the journal's execution, its step timer if `minutes`, too. Raises JobsError.

    Adopts the service's version when somebody else has changed an execution that goes on.
    """
    entry = executor.journal.entry
    while True:
        members = {
            "expectedVersion": entry["version"],
            "executionNumber": entry["executionNumber"],
        }
        if details:
            members["statusDetails"] = details
        if minutes:
            members["stepTimeoutInMinutes"] = minutes
        try:
            await executor.jobs.update(entry["jobId"], status, **members)
            entry["version"] += 1
            return
        except JobsError as error:
            version = error.state.get("versionNumber")
            changed = error.code == "VersionMismatch" and version != entry["version"]
            if not changed or error.state.get("status") != "IN_PROGRESS":
                raise
            entry["version"] = version
