#!/usr/bin/env bash
# The first step of action.yml: logmap in $RUNNER_TEMP/logmap/bin. With a version it is a released program; SHA256 is the digest of that release's file
# SHA256SUMS, which has those of all platforms. Without a version it is built from the Action's own source.
set -euo pipefail

to=$RUNNER_TEMP/logmap
here=$ACTION_PATH/packaging

stop() {
  printf '::error::logmap: %s\n' "$1"
  exit 2
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

if [[ -z $VERSION ]]; then
  [[ -z $SHA256 ]] || stop 'sha256 is given without a version'
  exec cargo install --quiet --locked --path "$ACTION_PATH" --root "$to"
fi
[[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || stop 'version is no version, such as 0.1.0'
[[ $SHA256 =~ ^[0-9a-f]{64}$ ]] || stop 'with a version comes sha256, the SHA-256 of the file SHA256SUMS of its release'
base=${BASE:-$SERVER/$REPOSITORY/releases/download/v$VERSION}
[[ $base == https://* || $base == http://127.0.0.1:* ]] || stop 'the address of the release begins with https://'

mkdir -p "$to"
curl --fail --silent --show-error --location --retry 3 --output "$to/SHA256SUMS" -- "$base/SHA256SUMS" || stop "there is no $base/SHA256SUMS"
found=$(sha256 "$to/SHA256SUMS")
[[ $found == "$SHA256" ]] || stop "$base/SHA256SUMS has the SHA-256 $found, and $SHA256 is expected: nothing was installed"
LOGMAP_VERSION=$VERSION LOGMAP_BASE=$base LOGMAP_SUMS=$(<"$to/SHA256SUMS") LOGMAP_INSTALL_DIR=$to/bin sh "$here/install.sh"
