#!/usr/bin/env bash
# Puts the V8 archive of this folder where the v8 crate's build script looks before it downloads one: cargo's cache,
# under the address of the release with everything but letters and digits replaced by underscores.
#
# Does nothing on other platforms than x86_64 Linux: there cargo downloads the archive of its own accord.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  echo "v8: this folder has no archive for $(uname -s) on $(uname -m); cargo will download one. If it cannot: name a file" \
    "with RUSTY_V8_ARCHIVE, another place with RUSTY_V8_MIRROR, or build it with V8_FROM_SOURCE=1 (engines/js/v8/README.md)"
  exit 0
fi

version=$(sed -n '/^name = "v8"$/{n;s/^version = "\(.*\)"$/\1/p}' ../../../Cargo.lock)
archive=librusty_v8_simdutf_release_x86_64-unknown-linux-gnu.a
if [ "$version" != "$(cat VERSION)" ]; then
  echo "v8: the archive here is $(cat VERSION), Cargo.lock asks for $version; see engines/js/v8/README.md" >&2
  exit 1
fi

cache=${CARGO_HOME:-$HOME/.cargo}/.rusty_v8
url="https://github.com/denoland/rusty_v8/releases/download/v$version/$archive.gz"
target=$cache/${url//[^[:alnum:]]/_}
if [ -s "$target" ]; then
  echo "v8: $version is in cargo's cache"
  exit 0
fi
sha256sum --quiet --check SHA256SUMS
mkdir -p "$cache"
xz --decompress --stdout "$archive.xz" > "$target.$$"
mv "$target.$$" "$target"
echo "v8: put $version into cargo's cache"
