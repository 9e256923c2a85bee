#!/bin/sh
# Sets kraken up in a virtual environment and reads a page that it draws itself.
#
# Usage: sh examples/run.sh [WHEEL]      installs WHEEL instead of this folder
# VENV names the environment (.venv), PYTHON the interpreter (python3).
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

[ -x "$venv/bin/python" ] || ${PYTHON:-python3} -m venv "$venv"
"$venv/bin/python" -m pip install --quiet "${1:-.}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" examples/draw_page.py "$work/page.png"
"$venv/bin/kraken" read "$work/page.png"
