#!/usr/bin/env bash
# Builds Docker Compose from its Go module for the test that starts docker-compose.yml, where no package has it: once, into a
# cache outside the clone (four minutes of one processor). What is built already is kept. `--where` says where it is.
set -euo pipefail
COMPOSE=v2.40.3
plugins=${XDG_CACHE_HOME:-$HOME/.cache}/optionchain/compose/$COMPOSE
if [ "${1:-}" = --where ]; then
    echo "$plugins"
    exit
fi
[ -x "$plugins/docker-compose" ] && exit
mkdir -p "$plugins"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0 GOFLAGS="-mod=mod -buildvcs=false -trimpath -p=${JOBS:-1}"
cd "$work" && go mod init compose-for-tests && go get "github.com/docker/compose/v2/cmd@$COMPOSE"
version=github.com/docker/compose/v2/internal.Version=$COMPOSE
nice -n 19 go build -ldflags "-s -w -X $version" -o "$plugins/docker-compose" github.com/docker/compose/v2/cmd
