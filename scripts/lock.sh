#!/bin/sh
# Write config/locks/run.lock and config/locks/test.lock from pyproject.toml: every version, every hash, every
# supported Python, no address. Review the difference before it is committed: it is what every user installs.
#   scripts/lock.sh [--upgrade]        UV names the resolver if it stands elsewhere.
set -eu
cd -- "$(dirname -- "$0")/.."
UV_PINNED=0.13.9
if [ -z "${UV:-}" ]; then
    UV=.venv/bin/uv
    [ -x "$UV" ] || .venv/bin/python -m pip install --quiet "uv==$UV_PINNED"
fi
compile() {
    "$UV" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}
compile --group build -o config/locks/run.lock "$@"
# The tests run with exactly the versions that users run with.
compile --group build --group test --constraints config/locks/run.lock -o config/locks/test.lock "$@"
grep -c '==' config/locks/run.lock config/locks/test.lock
