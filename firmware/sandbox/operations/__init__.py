"""What a job can do, one module an operation, loaded when a job asks for it.

A module has

    ARGUMENTS, OPTIONAL, ONLY      its tables for `arguments.check`; the last two may be missing
    ARGV                           the arguments that a command gives by their place, in order
    TIMEOUT_S                      how long `run` may take: seconds, or a function of the arguments
    async def run(arguments, job)  does it and returns what was done, as statusDetails

`run` saves with `job.save({…})`, before it acts, what it needs to be finished after a reset; it is
then called again with the same arguments and finds it in `job.saved`. It sets `job.percent` if it
takes long, raises JobFailed, and leaves the hardware safe, by `finally`, when cancelled. What it
needs of the application it imports by its full name, `sandbox.errors`: see `lazy`. The name of an
operation is its module's, with `-` for `_`. docs/jobs/README.md shows one of one's own.
"""
