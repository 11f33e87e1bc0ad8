#!/bin/sh
# Becomes nginx: `serve.sh FOLDER PORT` with the folder into which it was installed. Its files stay in there.
set -eu
here=$(dirname "$(readlink -f "$0")")
run=$1/run
root=$1/root
libraries=$(echo "$root"/usr/lib/*-linux-gnu)
mkdir -p "$run"
sed -e "s|@root@|$root|g" -e "s|@libraries@|$libraries|g" -e "s|@port@|$2|g" "$here/nginx.conf" > "$run/nginx.conf"
exec "$1/nginx" -p "$run" -c "$run/nginx.conf"
