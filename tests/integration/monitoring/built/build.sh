#!/usr/bin/env bash
# Builds an OpenTelemetry Collector and Jaeger (both Apache 2.0) from Go modules for the tests that run them: once, into a
# cache outside the clone (about 20 minutes of one processor). What is built already is kept. `--where` says where it is.
set -euo pipefail
COLLECTOR=v0.117.0 JAEGER=v1.76.0
here=$(cd "$(dirname "$0")" && pwd)
bin=${XDG_CACHE_HOME:-$HOME/.cache}/optionchain/observing/$COLLECTOR-$JAEGER
if [ "${1:-}" = --where ]; then
    echo "$bin"
    exit
fi
mkdir -p "$bin"
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -x "$bin/otelcol" ]; then
    echo "building an OpenTelemetry Collector ..."
    cd "$work"
    sed "s#^dist: {#&output_path: $work, #" "$here/otelcol.yaml" >builder.yaml
    nice -n 19 go run "go.opentelemetry.io/collector/cmd/builder@$COLLECTOR" --config builder.yaml
    mv "$work/otelcol" "$bin/"
fi
if [ ! -x "$bin/jaeger" ]; then
    echo "building Jaeger ..."
    cd "$work" && go mod init jaeger-for-tests && go get "github.com/jaegertracing/jaeger/cmd/jaeger@$JAEGER"
    nice -n 19 go build -ldflags "-s -w" -o "$bin/jaeger" github.com/jaegertracing/jaeger/cmd/jaeger
fi
