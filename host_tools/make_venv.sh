#!/bin/sh
# Makes .venv with the locked packages and this project in it. Run by `make setup`; needs no rights and asks nothing.
# PYTHON=… chooses the interpreter; otherwise the first Python 3.11 to 3.14 on the path is taken.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $1" >&2
    echo "  try: $2" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

# Ctrl-C ends this script, with a word; what it runs is in the background, where no Ctrl-C reaches it (it would
# print a traceback), and is ended by the trap.
child=
interrupted() {
    if [ -n "$child" ]; then
        pkill -P "$child" 2>/dev/null || :
        kill "$child" 2>/dev/null || :
    fi
    echo >&2
    echo "setup: interrupted; .venv is incomplete" >&2
    echo "  try: make setup, which begins anew (pip keeps what it has fetched)" >&2
    exit 130
}
trap interrupted INT TERM
run() {
    "$@" &
    child=$!
    wait "$child" && status=0 || status=$?
    child=
    return "$status"
}

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.14 python3.11}; do
    if fits "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "no Python 3.11 to 3.14 found (looked for: ${PYTHON:-python3, python3.11 … python3.14})" \
    "install Python 3.12, or name one: make setup PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail "$python has no venv module" \
    "install it (Debian, Ubuntu: apt install python3-venv), or name another Python: make setup PYTHON=…"

count() {
    grep -c '^[a-z0-9].*==' "$1"
}
pip() {
    run .venv/bin/python -m pip --disable-pip-version-check -qq "$@" ||
        fail "pip could not install the locked packages (its words are above)" \
            "check the network and pip's index (pip config list), then: make setup"
}
echo "setup: 1/4 $("$python" --version) in .venv"
rm -rf .venv
run "$python" -m venv .venv || fail "$python could not make .venv (its words are above)" \
    "another Python: make setup PYTHON=…"
# No build isolation: it would fetch build tools that no hash protects. No compiling: Python does that at first use.
echo "setup: 2/4 the build tools, locked"
pip install --no-compile --require-hashes -r requirements-build.lock
echo "setup: 3/4 $(count requirements.lock) locked packages: half a minute, or some, by your network"
pip install --no-compile --require-hashes --no-build-isolation -r requirements.lock
echo "setup: 4/4 this project, and what pip cannot fetch"
pip install --no-compile --no-build-isolation --no-deps --no-index --editable .
