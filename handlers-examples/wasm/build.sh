#!/usr/bin/env bash
# Makes the modules from their sources, with clang, lld and wasi-libc: Debian's packages of these names, and
# libclang-rt-14-dev-wasm32. The modules are here so that nobody needs them to run the example.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

compile() { clang --target=wasm32-wasi -Os -Wall -Wextra -Wl,--strip-debug "$@"; }
compile -o handler.wasm handler.c
compile -mexec-model=reactor -o count.wasm count.c
