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

echo "setup: $("$python" --version) in .venv, about 90 locked packages (half a minute)"
rm -rf .venv
"$python" -m venv .venv
pip() {
    .venv/bin/python -m pip --disable-pip-version-check -qq "$@" ||
        fail "pip could not install the locked packages (its words are above)" \
            "check the network and pip's index (pip config list), then: make setup"
}
# No build isolation: it would fetch build tools that no hash protects. No compiling: Python does that at first use.
pip install --no-compile --require-hashes -r requirements-build.lock
pip install --no-compile --require-hashes --no-build-isolation -r requirements.lock
pip install --no-compile --no-build-isolation --no-deps --no-index --editable .
