#!/usr/bin/env bash
# Installs the real programs that the tests talk to (Debian packages), and Debian 13's kubectl where none or an old one is
# installed. Idempotent and quiet when there is nothing to do; services that the packages bring are not started.
# Prints the directory to put first on PATH when it had to fetch a kubectl of its own.
set -euo pipefail

cache=${KFCTL_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kfctl-tools}
# program:package
wanted="curl:curl slapd:slapd ldapsearch:ldap-utils chromium:chromium nginx:nginx-light redis-server:redis-server unshare:util-linux openssl:openssl ip:iproute2 arping:iputils-arping"

say() { printf '%s\n' "$*" >&2; }
# Debian keeps PostgreSQL's programs in a directory of their version.
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null; }

missing=""
for pair in $wanted; do
  have "${pair%%:*}" || missing="$missing ${pair##*:}"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "these programs are needed by the tests and are missing: $missing"
    say "install them with your package manager, for example: sudo apt-get install$missing"
    exit 1
  fi
  say "installing$missing …"
  # Debian starts a service when its package is installed; the tests start their own, on their own ports.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
fi

# kubectl 1.32 or newer
minor() { "$1" version --client -o json 2>/dev/null | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p' | head -n 1; }
found=$(command -v kubectl || true)
if [ -n "$found" ] && [ "$(minor "$found" || echo 0)" -ge 32 ] 2>/dev/null; then exit 0; fi
if [ ! -x "$cache/bin/kubectl" ]; then
  say "fetching Debian 13's kubectl …"
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root" "$cache/bin"
  echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' > "$work/sources.list"
  cat > "$work/apt.conf" <<EOF
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::State::status "/dev/null";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
EOF
  (cd "$work" && APT_CONFIG="$work/apt.conf" apt-get update -q >/dev/null && APT_CONFIG="$work/apt.conf" apt-get download -q kubectl >/dev/null)
  dpkg-deb -x "$work"/kubectl_*.deb "$work/root"
  cp "$work/root/usr/bin/kubectl" "$cache/bin/kubectl"
  rm -rf "$work"
fi
printf '%s\n' "$cache/bin"
