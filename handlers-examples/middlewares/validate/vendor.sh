#!/usr/bin/env bash
# Puts jsonschema and what it needs into `package`. Quick when that is done already; a change of what is wanted, or of the
# Python that it is for, does it anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python=${PYO3_PYTHON:-python3}

# Written last, so that an installation that was cut short is repeated.
stamp="$(cksum requirements.txt) $("$python" -V)"
if [ "$(cat package/.vendored 2> /dev/null)" = "$stamp" ]; then
  exit 0
fi
rm -rf package
# What is not a flag here is a variable because older releases of pip, which need none of it, refuse unknown flags.
PIP_USER=0 PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \
  "$python" -m pip install --quiet --no-compile --only-binary :all: --disable-pip-version-check --target package \
  -r requirements.txt
echo "$stamp" > package/.vendored
