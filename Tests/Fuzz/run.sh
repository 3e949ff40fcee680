#!/bin/sh
# Fuzzes one target: run.sh config|rules|tokens [seconds]. New inputs stay in .build/fuzz; what crashes is printed.
set -eu
cd "$(dirname "$0")/../.."
target="${1:-config}"
seconds="${2:-60}"
out=.build/fuzz
mkdir -p "$out/$target"
flags="-enable-experimental-feature Lifetimes -enable-upcoming-feature MemberImportVisibility -O -g"
flags="$flags -parse-as-library -sanitize=fuzzer,address"
case "$target" in
  config) modules="Base Config" entry=Tests/Fuzz/ConfigFuzz.swift ;;
  rules | tokens)
    modules="Base Config HTTP TLS Rules"
    entry=Tests/Fuzz/$([ "$target" = rules ] && echo RuleFuzz || echo TokenFuzz).swift
    flags="$flags -enable-testing -I Sources/CNghttp2 -I Sources/COpenSSL -lnghttp2 -lssl -lcrypto" ;;
  *) echo "unknown target '$target'" >&2; exit 2 ;;
esac
objects=""
for module in $modules; do
  swiftc $flags -module-name "$module" -I "$out" -emit-module -emit-module-path "$out/$module.swiftmodule" \
    -wmo -c $(find Sources/"$module" -name "*.swift") -o "$out/$module.o"
  objects="$objects $out/$module.o"
done
swiftc $flags -I "$out" "$entry" $objects -o "$out/$target-fuzzer"
case "$target" in rules) corpus=RuleFuzz ;; tokens) corpus=TokenFuzz ;; *) corpus=$target ;; esac
cp -n "Tests/Fuzz/corpus/$corpus"/* "$out/$target"/ 2>/dev/null || true
# Pattern lists and what is looked up in them point to each other: they live as long as the process.
leaks="$([ "$target" = config ] && echo 1 || echo 0)"
export ASAN_OPTIONS="detect_leaks=$leaks"
exec "$out/$target-fuzzer" -artifact_prefix="$out/" -max_total_time="$seconds" -max_len=8192 "$out/$target"
