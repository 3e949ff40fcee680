#!/bin/bash
# Installs what a Debian 12 machine with the Swift toolchain lacks: conf/setup.sh [build|test]
# Does nothing for what is there already; needs root (or sudo) only when something is missing.
set -euo pipefail

build=(pkg-config libssl-dev libnghttp2-dev openssl curl)
tests=(git openssh-server openssh-client nginx-light nghttp2-client nghttp2-server slapd ldap-utils postfix
  dovecot-imapd mariadb-server mariadb-client redis-server dnsmasq-base haproxy slowhttptest socat python3 procps)

wanted=("${build[@]}")
[ "${1:-build}" = test ] && wanted+=("${tests[@]}")

missing=()
for package in "${wanted[@]}"; do
  # nginx may be there in another of its flavours.
  if [ "$package" = nginx-light ] && [ -x /usr/sbin/nginx ]; then continue; fi
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done

root=()
[ "$(id -u)" = 0 ] || root=(sudo)

if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}" >&2
  # The tests start servers of their own: none of those installed here shall run.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
    "${root[@]}" chmod 755 $policy
    trap '"${root[@]}" rm -f $policy' EXIT
  fi
  "${root[@]}" apt-get update -q >&2
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >&2
fi

# The user that Debian's configuration names; Debian's own package would have made it.
if [ "${1:-build}" = test ] && ! getent passwd haproxy >/dev/null; then
  "${root[@]}" useradd --system --user-group --no-create-home --home-dir /var/lib/haproxy \
    --shell /usr/sbin/nologin haproxy
fi

command -v swift >/dev/null || {
  echo "there is no 'swift' in PATH: install a toolchain of 6.2 or later from https://www.swift.org/install/linux/" >&2
  exit 1
}
