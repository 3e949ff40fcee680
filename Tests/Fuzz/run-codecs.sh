#!/bin/sh
# Fuzzes the codecs: Tests/Fuzz/run-codecs.sh [seconds each] [targets]
# Builds with libFuzzer and AddressSanitizer outside of SwiftPM, which cannot make such executables.
# What is found lands in .build/fuzz/<target>/; the small corpora beside this script are the seeds.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-H1Fuzz ChunkFuzz ClientHelloFuzz ProxyProtocolFuzz PeerFuzz DNSFuzz}
out=.build/fuzz
mkdir -p "$out"
# The crash handler of the runtime would wait on a stopped process.
export SWIFT_BACKTRACE=enable=no
flags="-swift-version 6 -O -g -sanitize=fuzzer,address -parse-as-library -wmo -enable-testing -I $out
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
  -enable-upcoming-feature MemberImportVisibility -enable-experimental-feature Lifetimes
  -I Sources/CNghttp2 -I Sources/COpenSSL -I Sources/CLinux"

module() { # name, then its sources
  name=$1
  shift
  swiftc $flags -emit-module -emit-module-path "$out/$name.swiftmodule" -module-name "$name" \
    -emit-object -o "$out/$name.o" "$@"
}

module Base Sources/Base/*.swift
for target in $targets; do
  beside=
  case $target in
    H1Fuzz | ChunkFuzz) codec=HTTP; sources="Sources/HTTP/*.swift"; libraries="-lnghttp2" ;;
    ClientHelloFuzz) codec=TLS; sources="Sources/TLS/*.swift"; libraries="-lssl -lcrypto" ;;
    ProxyProtocolFuzz) codec=NetIO; sources="Sources/NetIO/ProxyProtocol*.swift"; libraries="" ;;
    # The messages of peers are files of a large module: they are compiled with the target.
    PeerFuzz) codec=Config; sources="Sources/Config/*.swift"; libraries=""; beside="Sources/Proxy/StickTables/PeerWire.swift Sources/Proxy/StickTables/PeerMessages.swift Sources/Proxy/StickTables/PeerReader.swift" ;;
    DNSFuzz) codec=Proxy; sources="Sources/Proxy/Resolvers/Codec/*.swift"; libraries="" ;;
    *) echo "unknown target: $target" >&2; exit 2 ;;
  esac
  module $codec $sources
  swiftc $flags -module-name "$target" "Tests/Fuzz/$target.swift" $beside "$out/Base.o" "$out/$codec.o" $libraries \
    -o "$out/$target.bin"
  mkdir -p "$out/$target"
  "$out/$target.bin" -max_total_time="$seconds" -max_len=4096 -artifact_prefix="$out/$target/" -print_final_stats=1 \
    "$out/$target" "Tests/Fuzz/corpus/$target"
done
