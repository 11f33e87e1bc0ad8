#!/bin/sh
# Installs Trine @VERSION@ from the folder that this script is in, or removes it. `./install.sh --help` says more.
set -eu

version=@VERSION@
machine=@MACHINE@
glibc=@GLIBC@

usage() {
  cat <<TEXT
usage: ./install.sh [PREFIX]               install or upgrade
       ./install.sh --uninstall [PREFIX]   remove

Puts Trine $version into PREFIX/lib/trine, with a link to it in PREFIX/bin. PREFIX is /usr/local for root and ~/.local for
everybody else. Files that are not Trine's are neither overwritten nor removed.
TEXT
}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

uninstall=
prefix=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --uninstall) uninstall=yes ;;
    --prefix) [ $# -gt 1 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$prefix" ] || { usage >&2; exit 2; }; prefix=$1 ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then
    prefix=/usr/local
  else
    prefix=${HOME:?is not set; name the folder to install into: ./install.sh PREFIX}/.local
  fi
fi
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}

home=$prefix/lib/trine
command=$prefix/bin/trine
# Lists the files that this script has installed; a folder without it belongs to somebody else.
receipt=$home/share/trine/installed-files
# Lists those of PREFIX/bin and PREFIX/lib that this script has made.
folders=share/trine/installed-folders

# Whether the command is the link that this script makes.
is_our_link() {
  [ -L "$command" ] && [ "$(readlink "$command")" = ../lib/trine/bin/trine ]
}

# Prints the files in a folder, but for the list itself.
files_in() {
  (cd "$1" && find . ! -type d ! -path ./share/trine/installed-files) | LC_ALL=C sort
}

# Prints the files in the installed folder that are not on the list.
strangers() {
  list=$(mktemp)
  files_in "$home" > "$list"
  LC_ALL=C comm -23 "$list" "$receipt"
  rm -f "$list"
}

# Compares the versions that are installed and wanted of the C library.
check_system() {
  system=$(uname -s) hardware=$(uname -m)
  [ "$system" = Linux ] || fail "Trine runs on Linux, and this is $system"
  [ "$hardware" = "$machine" ] || fail "this is the build for $machine, and the machine is $hardware"
  found=$( (getconf GNU_LIBC_VERSION || ldd --version) 2> /dev/null | sed -n '1s/.*[^0-9.]\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p') || true
  [ -n "$found" ] || fail "no glibc was found (musl is another C library); Trine needs glibc $glibc or later"
  lowest=$(printf '%s\n%s\n' "$glibc" "$found" | sort -t. -k1,1n -k2,2n | head -n 1)
  [ "$lowest" = "$glibc" ] || fail "this system has glibc $found; Trine needs $glibc or later"
}

remove() {
  if [ ! -e "$home" ] && ! is_our_link; then
    echo "Trine is not installed in $prefix."
    return
  fi
  [ ! -e "$home" ] || [ -f "$receipt" ] || fail "$home was not made by this script; nothing was removed"
  made=
  if [ -e "$home" ]; then
    made=$(cat "$home/$folders" 2> /dev/null) || true
    [ -w "$home" ] || fail "cannot write to $home; nothing was removed"
    (cd "$home" && while IFS= read -r file; do rm -f -- "$file"; done < "$receipt")
    rm -f -- "$receipt"
    find "$home" -depth -type d -exec rmdir {} + 2> /dev/null || true
    [ ! -e "$home" ] || echo "Kept in $home, because this script did not put it there: $(files_in "$home" | tr '\n' ' ')"
  fi
  if is_our_link; then
    rm -f -- "$command"
  fi
  for folder in $made; do
    # Where others use it by now it is not empty.
    rmdir "$prefix/$folder" 2> /dev/null || true
  done
  echo "Removed Trine from $prefix."
}

# Leaves things as they were, or as they are to be.
clean() {
  rm -rf "$new"
  if [ -e "$old" ]; then
    if [ -e "$home" ]; then rm -rf "$old"; else mv "$old" "$home"; fi
  fi
}

install() {
  source=$(cd "$(dirname "$0")" && pwd)
  [ "$source" != "$(cd "$home" 2> /dev/null && pwd)" ] || fail "this is Trine as it is installed in $prefix; there is nothing to do"
  [ -x "$source/bin/trine" ] || fail "$source/bin/trine is missing; run this script in the folder that the archive was unpacked to"
  check_system
  # Nothing is changed before everything has been looked at.
  if [ -e "$command" ] || [ -L "$command" ]; then
    is_our_link || fail "$command exists and is not Trine's; nothing was changed. Move it, or choose another folder: ./install.sh PREFIX"
  fi
  before=
  if [ -e "$home" ] || [ -L "$home" ]; then
    [ -f "$receipt" ] || fail "$home exists and was not made by this script; nothing was changed"
    foreign=$(strangers)
    [ -z "$foreign" ] || fail "$home contains files that this script did not put there; nothing was changed. Move them: $(echo "$foreign" | tr '\n' ' ')"
    before=$(sed -n 's/.*"trine": *"\([^"]*\)".*/\1/p' "$home/share/trine/manifest.json" | head -n 1)
  fi
  "$source/bin/trine" --version > /dev/null || fail "$source/bin/trine does not run on this system; nothing was changed"
  umask 022
  made=$(cat "$home/$folders" 2> /dev/null) || true
  for folder in bin lib; do
    [ -e "$prefix/$folder" ] || made="$made $folder"
  done
  new=$prefix/lib/.trine.new.$$ old=$prefix/lib/.trine.old.$$
  mkdir -p "$prefix/lib" "$prefix/bin" || fail "cannot make folders in $prefix; nothing was changed. Choose another one: ./install.sh PREFIX"
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir "$new" || fail "cannot write to $prefix/lib; nothing was changed. Choose another folder: ./install.sh PREFIX"
  [ -w "$prefix/bin" ] || fail "cannot write to $prefix/bin; nothing was changed. Choose another folder: ./install.sh PREFIX"
  (cd "$source" && cp -R -- * "$new/") || fail "copying to $prefix/lib failed; nothing was changed"
  chmod -R u+rwX,go+rX,go-w "$new"
  echo "$made" > "$new/$folders"
  files_in "$new" > "$new/share/trine/installed-files"
  if [ -e "$home" ]; then
    mv "$home" "$old"
  fi
  mv "$new" "$home" || fail "cannot write to $prefix/lib; nothing was changed"
  rm -rf "$old"
  is_our_link || ln -s ../lib/trine/bin/trine "$command"
  if [ -z "$before" ]; then
    echo "Installed Trine $version in $home; the command is $command."
  else
    echo "Replaced Trine $before by $version in $home; the command is $command."
  fi
  case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "$prefix/bin is not in PATH yet: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  echo "To remove it: $home/install.sh --uninstall $prefix"
}

if [ -n "$uninstall" ]; then
  remove
else
  install
fi
