#!/usr/bin/env bash
# Installs what Trine is compared with on Lambda into the folder given: the official clients for Node.js, Python and
# Rust, Bun and Deno, and sets of dependencies that functions often have.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../common.sh"
. "$here/../engines.sh"

# The Python that Trine is built against.
python=${PYO3_PYTHON:-python3}

# Its client is C++, compiled while it is installed. The folder of Node.js' headers is told where they are installed,
# because they would be fetched from a host that is no package registry.
install_ric_node() {
  local prefix
  debian cmake g++ make xz-utils || return
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  if [ -e "$prefix/include/node/node.h" ]; then export npm_config_nodedir=$prefix; fi
  # Unlike in npm_install, its scripts have to run; new releases of npm want that said. What configure prints holds many
  # words that look like a reason to fail.
  rm -rf node_modules
  echo '{"private": true, "allowScripts": {"aws-lambda-ric": true}}' > package.json
  if ! npm install --prefix "$PWD" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts=false \
    --foreground-scripts aws-lambda-ric@4 > build.log 2>&1; then
    tail -20 build.log
    return 1
  fi
  ls node_modules/aws-lambda-ric/rapid-client.node
}

# There are binary packages of it for the usual processors; elsewhere its client is compiled.
install_ric_python() {
  if ! "$python" -c 'import ensurepip'; then debian python3-venv || return; fi
  "$python" -m venv . || return
  bin/pip install --quiet --disable-pip-version-check --only-binary awslambdaric 'awslambdaric>=4,<5' ||
    { debian autoconf automake cmake g++ libtool make python3-dev &&
      bin/pip install --quiet --disable-pip-version-check 'awslambdaric>=4,<5'; } || return
  bin/python -c 'import awslambdaric, runtime_client'
}

install_lambda_runtime() {
  env -u RUSTC_WORKSPACE_WRAPPER -u CARGO_TARGET_DIR \
    cargo build --quiet --release --locked --manifest-path "$here/rust/Cargo.toml" --target-dir target &&
    mkdir -p bin && cp target/release/echo bin/echo &&
    sed -n '/^name = "lambda_runtime"$/{n;s/version = "\(.*\)"/lambda_runtime \1/p}' "$here/rust/Cargo.lock" > version
}

install_aws_sdk() {
  npm_install @aws-sdk/client-s3@3 && node -e 'require("@aws-sdk/client-s3")' &&
    node -p '`@aws-sdk/client-s3 ${require("./node_modules/@aws-sdk/client-s3/package.json").version}`' > version
}

# One file with everything that the function above uses of the SDK, in both kinds of modules: as is, not minified, which
# is what tools for deployment have by default. The fields of packages that are looked at first are those that make an ES
# module of ES modules.
install_aws_sdk_bundles() {
  both aws-sdk
  npm_install esbuild@0
  local bundle=(env "NODE_PATH=$peers/aws-sdk/node_modules" node_modules/.bin/esbuild --bundle --platform=node
    --target=node20 --log-level=error)
  "${bundle[@]}" "$here/aws-sdk/handler.mjs" --format=esm --main-fields=module,main --outfile=module.mjs \
    '--banner:js=import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
  "${bundle[@]}" "$here/aws-sdk/handler.cjs" --format=cjs --outfile=common.cjs
  node -e 'import("./module.mjs")'
  node -e 'require("./common.cjs")'
  echo "$(cat "$peers/aws-sdk/version"), esbuild $(node_modules/.bin/esbuild --version)" > version
}

install_express() {
  npm_install express@5 serverless-http@4
  node -p '`express ${require("./node_modules/express/package.json").version}`' > version
}

install_nest() {
  npm_install @nestjs/core@11 @nestjs/common@11 reflect-metadata@0 rxjs@7
  node -p '`@nestjs/core ${require("./node_modules/@nestjs/core/package.json").version}`' > version
}

# Installs packages from PyPI into the current folder: `pip_install boto3 'boto3>=1,<2'` writes the version of the first.
pip_install() {
  local module=$1; shift
  PIP_USER=0 PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \
    "$python" -m pip install --quiet --disable-pip-version-check --upgrade --target . "$@" &&
    "$python" -c "import $module; print('$module', $module.__version__)" > version
}

# A contestant that is made of several peers.
both() {
  local part
  for part in "$@"; do
    if [ "$(cat "$peers/status/$part" 2> /dev/null)" != ok ]; then
      echo "error: $part: $(cat "$peers/status/$part" 2> /dev/null)"
      return 1
    fi
  done
}

# The function itself may be newer than what was built.
if [ -n "$(find "$here/rust" -newer "$peers/status/lambda_runtime" -type f 2> /dev/null)" ]; then
  rm -f "$peers/status/lambda_runtime"
fi

peer aws-lambda-ric install_ric_node
peer awslambdaric install_ric_python
peer lambda_runtime install_lambda_runtime
peer bun install_bun
peer deno install_deno
peer aws-sdk install_aws_sdk
peer aws-sdk-bundles install_aws_sdk_bundles
peer express install_express
peer nest install_nest
peer boto3 pip_install boto3 'boto3>=1,<2'
peer fastapi pip_install fastapi 'fastapi<1' 'mangum<1'
peer pandas pip_install pandas 'pandas>=2,<3'
for load in aws-sdk aws-sdk-bundles express nest; do
  for runtime in aws-lambda-ric bun deno; do
    peer "$runtime-$load" both "$runtime" "$load"
  done
done
for load in boto3 fastapi pandas; do
  peer "awslambdaric-$load" both awslambdaric "$load"
done

# Functions lie beside their dependencies. Every time, for they are this folder's, not a peer's.
for load in aws-sdk express nest boto3 fastapi pandas; do
  cp --update --preserve=timestamps "$here/$load"/* "$peers/$load/"
done
