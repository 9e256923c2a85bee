#!/bin/sh
# Installs the test tools beside kraken and runs every Python test. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

[ -x "$venv/bin/python" ] || ${PYTHON:-python3} -m venv "$venv"
"$venv/bin/python" -m pip install --quiet '.[dev,models,pdf]'
exec "$venv/bin/python" -m pytest "$@"
