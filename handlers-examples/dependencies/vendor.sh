#!/usr/bin/env bash
# Puts the packages that the examples import beside them: js/node_modules and python/package. Quick when that is done
# already; a change of what is wanted, or of the Python that it is for, does it anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python=${PYO3_PYTHON:-python3}

# vendor FOLDER STAMP COMMAND [ARGUMENT ...]: runs the command, which fills the folder, unless the folder's stamp says
# that it has been filled for this. The stamp is written last, so an installation that was cut short is repeated.
vendor() {
  local folder=$1 stamp=$2
  shift 2
  if [ "$(cat "$folder/.vendored" 2> /dev/null)" = "$stamp" ]; then
    return
  fi
  rm -rf "$folder"
  "$@"
  mkdir -p "$folder"
  echo "$stamp" > "$folder/.vendored"
}

npm_install() {
  (cd js && npm install --no-audit --no-fund --omit=dev --ignore-scripts --loglevel=error > /dev/null)
}

# What is not a flag here is a variable because older releases of pip, which need none of it, refuse unknown flags.
pip_install() {
  PIP_USER=0 PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \
    "$python" -m pip install --quiet --no-compile --disable-pip-version-check --target python/package \
    -r python/requirements.txt
}

vendor js/node_modules "$(cksum js/package.json js/package-lock.json)" npm_install
vendor python/package "$(cksum python/requirements.txt) $("$python" -V)" pip_install
