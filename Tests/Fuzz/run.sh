#!/bin/sh
# Fuzzes one target: run.sh config|rules|tokens [seconds]. New inputs stay in .build/fuzz; what crashes is printed.
# Modules that have not changed since are not built again, which takes minutes.
set -eu
cd "$(dirname "$0")/../.."
target="${1:-config}"
seconds="${2:-60}"
out=.build/fuzz
mkdir -p "$out/$target"
flags="-enable-experimental-feature Lifetimes -enable-upcoming-feature MemberImportVisibility -O -g"
flags="$flags -parse-as-library -sanitize=fuzzer,address -enable-testing"
flags="$flags -I Sources/CNghttp2 -I Sources/COpenSSL -lnghttp2 -lssl -lcrypto"
case "$target" in
  config) modules="Base Config" entry=Tests/Fuzz/ConfigFuzz.swift ;;
  rules) modules="Base Config HTTP TLS Rules" entry=Tests/Fuzz/RuleFuzz.swift ;;
  tokens) modules="Base Config HTTP TLS Rules" entry=Tests/Fuzz/TokenFuzz.swift ;;
  *) echo "unknown target '$target'" >&2; exit 2 ;;
esac
# The codecs' script leaves modules of the same names there, built with other flags.
built="$out/modules"
mkdir -p "$built"
objects=""
changed=no
for module in $modules; do
  object="$built/$module.o"
  if [ ! -e "$object" ] || [ -n "$(find Sources/"$module" "$0" -newer "$object" | head -1)" ]; then changed=yes; fi
  if [ "$changed" = yes ]; then
    swiftc $flags -module-name "$module" -I "$built" -emit-module -emit-module-path "$built/$module.swiftmodule" \
      -wmo -c $(find Sources/"$module" -name "*.swift") -o "$object.new"
    mv "$object.new" "$object"
  fi
  objects="$objects $object"
done
swiftc $flags -I "$built" "$entry" $objects -o "$out/$target-fuzzer"
case "$target" in rules) corpus=RuleFuzz ;; tokens) corpus=TokenFuzz ;; *) corpus=$target ;; esac
cp -n "Tests/Fuzz/corpus/$corpus"/* "$out/$target"/ 2>/dev/null || true
exec "$out/$target-fuzzer" -artifact_prefix="$out/" -max_total_time="$seconds" -max_len=8192 "$out/$target"
