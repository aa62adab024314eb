"""Print a script that completes commands, options, boards, things and ports in a shell.

bash   eval "$(jobs-sandbox completion bash)"       in ~/.bashrc
zsh    eval "$(jobs-sandbox completion zsh)"        in ~/.zshrc, after compinit
fish   jobs-sandbox completion fish | source        in ~/.config/fish/config.fish
"""

from __future__ import annotations

import argparse

from host_tools import completion
from host_tools.output import result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=completion.SHELLS, help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    result(completion.script(args.shell))
    return 0
