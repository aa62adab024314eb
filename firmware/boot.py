# Before main.py: finish the switch to a newly deployed application, if the power failed in it.
# An exception here would keep MicroPython from running main.py.


def _finish() -> None:
    # /switch.txt, put there by deploy in one rename when all new files lie on the board, has a
    # line for each step: "-/path" to be removed, "+/path" to be replaced by /path.new. Each can be
    # done again, so wherever the power fails, the next start comes to the same end.
    import os

    try:
        file = open("/switch.txt")  # noqa: SIM115  closed below, before it is removed
    except OSError:
        return
    failed = None
    for line in file:
        path = line[1:].strip()
        try:
            if line[0] == "+":
                os.rename(path + ".new", path)
            elif os.stat(path)[0] & 0x4000:
                os.rmdir(path)
            else:
                os.remove(path)
        except OSError as error:
            if error.errno != 2:  # ENOENT: it was done before the power failed
                failed = error
    file.close()
    if failed:
        print("boot: the deploy could not be finished:", failed)
    else:
        os.remove("/switch.txt")


_finish()
del _finish
