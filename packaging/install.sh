#!/bin/sh
# Installs logmap @VERSION@ for the one who runs it, in ~/.local/bin or in $LOGMAP_INSTALL_DIR. It needs no root, and runs nothing before its SHA-256 is
# the one that stands below. From elsewhere, such as a mirror of yours, the archives come with $LOGMAP_BASE.
set -eu

# the Action says these three itself
version=${LOGMAP_VERSION:-'@VERSION@'}
base=${LOGMAP_BASE:-'@BASE@'}
sums=${LOGMAP_SUMS:-'@SUMS@'}

stop() {
  printf 'logmap: %s\n' "$1" >&2
  exit 1
}

platform() {
  case $(uname -s) in
    Linux) system=unknown-linux-musl ;; # static: it runs with every C library
    Darwin) system=apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*) system=pc-windows-msvc ;;
    *) stop "there is no program for $(uname -s); install it with cargo" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) stop "there is no program for $(uname -m); install it with cargo" ;;
  esac
  # a shell that Rosetta translates says x86_64 on a Mac that is none
  if [ "$system" = apple-darwin ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null || echo 0)" = 1 ]; then
    machine=aarch64
  fi
  printf '%s-%s' "$machine" "$system"
}

download() {
  if command -v curl >/dev/null 2>&1; then
    # a server that stands for another may use http only where the address itself does
    case $1 in https:*) set -- "$@" --proto '=https' --tlsv1.2 ;; esac
    from=$1 to=$2
    shift 2
    curl --fail --silent --show-error --location --retry 3 "$@" --output "$to" -- "$from"
  elif command -v wget >/dev/null 2>&1; then
    wget --quiet --tries=3 --output-document="$2" -- "$1"
  else
    stop 'curl or wget is needed'
  fi
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1"
  else
    openssl dgst -sha256 -r <"$1"
  fi | cut -d ' ' -f 1
}

main() {
  target=$(platform)
  program=logmap ending=tar.gz
  case $target in *windows*) program=logmap.exe ending=zip ;; esac
  name=aws-logmap-$version-$target
  wanted=$(printf '%s\n' "$sums" | sed -n "s/^\([0-9a-f]\{64\}\)  $name\.$ending\$/\1/p")
  [ -n "$wanted" ] || stop "version $version has no program for $target; install it with cargo"

  folder=$(mktemp -d "${TMPDIR:-/tmp}/logmap.XXXXXXXX")
  trap 'rm -rf "$folder"' EXIT
  download "$base/$name.$ending" "$folder/archive"
  found=$(sha256 "$folder/archive")
  [ "$found" = "$wanted" ] || stop "$base/$name.$ending has the SHA-256 $found, and $wanted is expected: nothing was installed"

  if [ "$ending" = zip ] && command -v unzip >/dev/null 2>&1; then
    unzip -q "$folder/archive" -d "$folder"
  else
    tar -xf "$folder/archive" -C "$folder"
  fi
  to=${LOGMAP_INSTALL_DIR:-${HOME:?}/.local/bin}
  mkdir -p -- "$to"
  # beside the old one and then in its place: a program that runs is not written over
  cp -- "$folder/$name/$program" "$to/.$program.$$"
  chmod 755 "$to/.$program.$$"
  mv -f -- "$to/.$program.$$" "$to/$program"

  printf '%s\n' "logmap $version is at $to/$program"
  case :$PATH: in
    *:"$to":*) ;;
    *) printf '%s\n' "Add $to to PATH to run it by its name." ;;
  esac
}

# the last line: of a download that breaks off nothing is run
main
