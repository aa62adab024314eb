"""One module per command of `jobs-sandbox`.

Each has `add_arguments(parser)` and `run(args) -> int`; it is imported only when its command is
given, so that `--help` starts fast. COMMANDS is the table of them, in the order in which help
shows them.
"""

COMMANDS = {
    "status": "show where things stand, and the next step",
    "init": "write sandbox.toml: board, thing, Wi-Fi and cloud for all commands",
    "cloud": "start, stop or look at the local IoT Core",
    "aws": "run the AWS CLI against the cloud in use",
    "board": "start, stop or look at virtual boards",
    "boards": "show the kinds of boards: chip, pins, what must not be driven",
    "ports": "show the boards on USB: chip, MAC, firmware, thing",
    "identify": "blink a board's LED",
    "flash": "put MicroPython on a board, from a blank chip on",
    "provision": "make a thing, its certificate and its policy",
    "deploy": "put the firmware, configuration and credentials on a board",
    "console": "talk to the board: the sandbox commands, with completion and events",
    "doctor": "check host, board and cloud: what is wrong, why, and how to mend it",
    "job": "check, make, watch, list and cancel jobs",
    "sandbox": "run the sandbox on a virtual board against any IoT endpoint",
    "completion": "print a script that completes commands in bash, zsh or fish",
    "demo": "show it all: cloud, board, jobs, pins",
}
