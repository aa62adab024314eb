"""What a job can do, one module an operation, loaded when a job asks for it.

A module has

    ARGUMENTS                      its table for `arguments.check`
    TIMEOUT_S                      how long `run` may take
    async def run(arguments, job)  does it and returns what was done, as statusDetails

`run` saves with `job.save({…})`, before it acts, what it needs to be finished after a reset; it is
then called again with the same arguments and finds it in `job.saved`. It raises JobFailed, and
leaves the hardware safe when cancelled. The name of an operation is its module's, with `-` for
`_`.
"""
