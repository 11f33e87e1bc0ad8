# Sourced by the install scripts of the peers. Usage: `. ../common.sh; peer NAME COMMAND...` runs the command in a
# folder of the peer's own, once; what came of it stands in `status/NAME`: `ok`, or `failed: ` and the reason.
set -uo pipefail
peers=${1:?the folder to install into}
mkdir -p "$peers/status"
peers=$(cd "$peers" && pwd)
# A registry that does not answer is given up soon, and said so.
export npm_config_fetch_timeout=60000 npm_config_fetch_retries=2 PIP_DEFAULT_TIMEOUT=30

peer() {
  local name=$1; shift
  if [ "$(cat "$peers/status/$name" 2> /dev/null)" = ok ]; then return 0; fi
  echo "peers: installing $name"
  mkdir -p "$peers/$name"
  local log=$peers/status/$name.log
  # A shell of its own, so that the first step that fails ends the installation.
  # Not as the condition of an `if`, where `set -e` has no effect.
  (set -e; cd "$peers/$name"; "$@") > "$log" 2>&1 < /dev/null
  if [ $? -eq 0 ]; then
    echo ok > "$peers/status/$name"
  else
    local reason
    reason=$(grep -iE 'error|cannot|not found|unable|failed' "$log" | head -1 | cut -c1-200)
    echo "failed: ${reason:-$(tail -1 "$log" | cut -c1-200)}" > "$peers/status/$name"
    echo "peers: $name could not be installed: ${reason:-see $log}" >&2
  fi
}

# Installs Debian packages that are missing.
debian() {
  local missing=() package
  for package in "$@"; do dpkg -s "$package" > /dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}
