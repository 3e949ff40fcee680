#!/bin/bash
# Builds Gatehouse, makes certificates if there are none, and serves conf/demo.cfg until Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

conf/setup.sh build
swift build -c release --product gatehouse

for site in one.localhost two.localhost; do
  bundle=certs/$site.pem
  [ -s "$bundle" ] && continue
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
    -subj "/CN=$site" -addext "subjectAltName=DNS:$site,DNS:localhost" \
    -keyout "$bundle.key" -out "$bundle.crt" 2>/dev/null && cat "$bundle.crt" "$bundle.key" >"$bundle" \
    && rm "$bundle.crt" "$bundle.key")
done

cat <<'TEXT'

  https://one.localhost:8443/          one site over two servers (reload: the other one answers)
  https://two.localhost:8443/          another site by its name
  https://one.localhost:8443/private   denied, with an error page
  http://one.localhost:8080/           redirects to https
  localhost:9000                       TCP, passed on to a server as it is
  http://localhost:8404/stats          statistics

  Certificates are self-signed: curl wants -k, a browser asks once. Ctrl-C ends it.

TEXT
exec .build/release/gatehouse -db -f conf/demo.cfg "$@"
