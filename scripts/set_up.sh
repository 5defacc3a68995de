#!/bin/sh
# Make .venv and install the locked packages into it; do nothing when nothing changed since the last time.
#   scripts/set_up.sh run|test        PYTHON names another interpreter.
# Only pip is used, and only what config/locks/ names by hash is installed. The checkout itself is put on the
# path (one .pth line) with the locked setuptools, unisolated: nothing is fetched that the lock does not name.
set -eu
cd -- "$(dirname -- "$0")/.."
kind=${1:?say run or test}

say() { printf '%s\n' "$*" >&2; }

fits() { # is this command a Python that we support, and does it really start?
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

makes_environments() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

find_python() { # the first that fits and can make an environment; else the first that fits
    without_venv=
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3; do
        if fits "$candidate"; then
            if makes_environments "$candidate" || [ "$candidate" = "${PYTHON:-}" ]; then
                printf '%s\n' "$candidate"
                return 0
            fi
            without_venv=${without_venv:-$candidate}
        fi
        if [ "$candidate" = "${PYTHON:-}" ]; then
            say "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 that starts."
            return 1
        fi
    done
    if [ -n "$without_venv" ]; then
        printf '%s\n' "$without_venv"
        return 0
    fi
    say "tiendo needs Python 3.11, 3.12 or 3.13, and none of python3.13, python3.12, python3.11, python3 fits."
    say "Debian, Ubuntu:  apt-get install python3 python3-venv      Fedora:  dnf install python3.12"
    say "If it stands elsewhere:  make PYTHON=/path/to/python3.12 $kind"
    return 1
}

# What the environment depends on: the lock, the package list, the place (its scripts name it).
wanted() {
    { cat "config/locks/$1.lock" pyproject.toml scripts/set_up.sh; pwd -P; } | cksum
}

is_current() {
    [ -x .venv/bin/python ] && fits .venv/bin/python && [ -f ".venv/.installed-$1" ] &&
        [ "$(cat ".venv/.installed-$1")" = "$(wanted "$1")" ]
}

is_current "$kind" && exit 0

if ! { [ -x .venv/bin/python ] && fits .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python) || exit 69
    if ! makes_environments "$python"; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python has no venv or ensurepip, which make its own environment."
        say "Debian, Ubuntu:  apt-get install python$version-venv"
        exit 69
    fi
    say "Making .venv with $("$python" --version) …"
    rm -rf .venv
    "$python" -m venv .venv
fi

say "Installing the locked packages ($kind) …"
rm -f .venv/.installed-run .venv/.installed-test
install() { .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input "$@"; }
if ! install --require-hashes --requirement "config/locks/$kind.lock"; then
    say "The packages could not be installed (pip's words are above). A network or a package index that pip can"
    say "reach is needed once; then run the same command again: what is already there is kept."
    exit 75
fi
install --no-index --no-build-isolation --no-deps --config-settings editable_mode=compat --editable .
# The test lock holds everything of the run lock, at the same versions.
wanted run >.venv/.installed-run
[ "$kind" = run ] || wanted test >.venv/.installed-test
