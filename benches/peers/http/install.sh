#!/usr/bin/env bash
# Installs the HTTP servers that Trine is compared with, and wrk, which measures them, into the folder given. Only wrk
# (and Python's own headers and venv where they are missing) is installed for the whole machine, no service is.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../common.sh"
. "$here/../engines.sh"

# The Python that Trine is built against.
python=${PYO3_PYTHON:-python3}

install_wrk() {
  debian wrk && ln -sfn "$(command -v wrk)" wrk
}

# A virtual environment with the packages given.
venv() {
  if ! "$python" -c 'import ensurepip'; then debian python3-venv || return; fi
  "$python" -m venv . && bin/pip install --quiet --disable-pip-version-check "$@"
}

install_granian() {
  venv 'granian>=2,<3' uvloop && bin/granian --version
}

install_uvicorn() {
  venv 'uvicorn[standard]' && bin/python -c 'import uvloop, httptools' && bin/uvicorn --version
}

# There is no binary package of it: it is compiled here, against the same Python as the others.
install_uwsgi() {
  if ! "$python" -c 'import pathlib, sysconfig
assert (pathlib.Path(sysconfig.get_path("include")) / "Python.h").is_file()'; then debian python3-dev || return; fi
  venv 'uwsgi>=2,<3' && bin/uwsgi --version
}

install_functions_framework_python() {
  venv 'functions-framework>=3,<4' && bin/python -c 'import functions_framework, gunicorn'
}

install_functions_framework_node() {
  npm_install @google-cloud/functions-framework@5 && node -e 'require("@google-cloud/functions-framework")'
}

# fastify.cjs finds it by NODE_PATH.
install_fastify() {
  npm_install fastify@5 && node -e 'require("fastify")'
}

install_workerd() {
  local processor
  processor=$(npm_processor 64 arm64) &&
    npm_install workerd@1 &&
    ln -sfn "node_modules/@cloudflare/workerd-linux-$processor/bin/workerd" workerd &&
    ./workerd --version
}

# nginx with its Lua module, unpacked from Debian's packages without being installed: so there is no service that could
# start, and nothing is left on the machine. What is installed already is fetched again (--reinstall), save for the
# libraries that these packages need.
install_nginx_lua() {
  rm -rf archives root && mkdir -p archives/partial root && apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends --reinstall --download-only -o Dir::Cache::archives="$PWD/archives" \
      nginx libnginx-mod-http-ndk libnginx-mod-http-lua lua-resty-core lua-resty-lrucache lua-cjson || return
  local archive
  for archive in archives/*.deb; do dpkg-deb --extract "$archive" root || return; done
  rm -rf archives
  # The libraries beside it come first.
  cat > nginx << 'END' &&
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for folder in "$here"/root/usr/lib/*-linux-gnu "$here"/root/lib/*-linux-gnu; do
  LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$here/root/usr/sbin/nginx" -e stderr "$@"
END
    chmod +x nginx && ./nginx -v
}

peer wrk install_wrk
peer granian install_granian
peer uvicorn install_uvicorn
peer uwsgi install_uwsgi
peer functions-framework-python install_functions_framework_python
peer functions-framework-node install_functions_framework_node
peer fastify install_fastify
peer deno install_deno
peer bun install_bun
peer workerd install_workerd
peer nginx-lua install_nginx_lua
