# Installers that the scripts of several suites share: engines that answer both Lambda's API and HTTP. Source it after
# common.sh; the peers' names are `deno` and `bun`. What they leave is a link to the real binary, `deno/deno` and
# `bun/bun`: npm's own launcher is a script of Node.js, which would be started first and stay in between.

# Installs packages from npm into the current folder, whatever package.json the folders above may have. Scripts of
# packages do not run: they would only move binaries to where launchers expect them.
npm_install() {
  npm install --prefix "$PWD" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error "$@"
}

# The processor's name in npm packages of binaries: `npm_processor AMD64 ARM64`.
npm_processor() {
  case $(uname -m) in
    x86_64) echo "$1" ;;
    aarch64) echo "$2" ;;
    *) echo "error: no binary for $(uname -m)" >&2; return 1 ;;
  esac
}

install_deno() {
  local processor
  processor=$(npm_processor x64 arm64) &&
    npm_install deno@2 &&
    ln -sfn "node_modules/@deno/linux-$processor-glibc/deno" deno &&
    ./deno --version
}

install_bun() {
  local processor
  processor=$(npm_processor x64 aarch64) &&
    npm_install bun@1 &&
    ln -sfn "node_modules/@oven/bun-linux-$processor/bin/bun" bun &&
    ./bun --version
}
