#!/usr/bin/env bash
# Installs the servers that web applications are measured under, and the frameworks that these are made with, into the
# folder given: one environment of Python and one of npm for all of them. The applications are copied to their packages.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../common.sh"
. "$here/../engines.sh"

# The Python that Trine is built against.
python=${PYO3_PYTHON:-python3}

# `site` is where Trine and uWSGI, which bring their own interpreter, find the same packages.
install_web_python() {
  if ! "$python" -c 'import ensurepip'; then debian python3-venv || return; fi
  "$python" -m venv . &&
    bin/pip install --quiet --disable-pip-version-check 'fastapi<1' 'flask>=3,<4' 'uvicorn[standard]<1' 'gunicorn<28' \
      uvicorn-worker 'hypercorn<1' 'granian>=2,<3' 'waitress>=3,<4' uvloop &&
    ln -sfn lib/python*/site-packages site &&
    cp "$here"/python/*.py . &&
    bin/python -c 'import with_fastapi, with_flask, uvloop, httptools, uvicorn_worker'
}

install_web_uwsgi() {
  if ! "$python" -c 'import pathlib, sysconfig
assert (pathlib.Path(sysconfig.get_path("include")) / "Python.h").is_file()'; then debian python3-dev || return; fi
  "$python" -m venv . && bin/pip install --quiet --disable-pip-version-check 'uwsgi>=2,<3' && bin/uwsgi --version
}

# deno finds packages where there is a package.json that names them.
install_web_node() {
  printf '{"private": true, "type": "module", "dependencies": {"hono": "4", "@hono/node-server": "2", "express": "5"}}' \
    > package.json &&
    npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error &&
    cp "$here"/node/*.mjs . &&
    node -e 'require("express"); require("hono")'
}

peer web-python install_web_python
peer web-uwsgi install_web_uwsgi
peer web-node install_web_node
peer deno install_deno
peer bun install_bun
