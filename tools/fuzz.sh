#!/bin/sh
# Runs every fuzz target for some time, on a stable compiler and without cargo-fuzz.
#
#     tools/fuzz.sh [SECONDS [TARGET…]]
#
# Needs a C++ compiler for libFuzzer. What was learnt stays in rust/fuzz/corpus; an input that fails is
# written to rust/fuzz/artifacts and ends the script with status 1 (run the target on it to see it again).
set -eu
cd "$(dirname "$0")/../rust/fuzz"
seconds=${1:-60}
[ $# -gt 0 ] && shift
command -v c++ >/dev/null || { echo "A C++ compiler is missing: install g++ or clang." >&2; exit 1; }

# What `cargo fuzz --sanitizer none` passes: the kernels are free of unsafe code, so that panics, overflow,
# hangs and memory are all there is to find. A named platform keeps the flags from build scripts.
platform=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module"
for flag in -sanitizer-coverage-level=4 -sanitizer-coverage-inline-8bit-counters \
  -sanitizer-coverage-pc-table -sanitizer-coverage-trace-compares; do
  coverage="$coverage -Cllvm-args=$flag"
done
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 $coverage" \
  cargo build --release --locked --target "$platform" --target-dir target

targets=${*:-$(sed -n 's/^name = "\(.*\)"/\1/p' Cargo.toml | tail -n +2)}
for target in $targets; do
  echo "=== $target, $seconds s"
  mkdir -p "corpus/$target" "artifacts/$target"
  "target/$platform/release/$target" "corpus/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -max_len=2048 -len_control=0 -print_final_stats=1 -artifact_prefix="artifacts/$target/"
done
