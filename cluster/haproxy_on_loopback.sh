#!/bin/sh
# HAProxy for one machine: Ray binds HAProxy's statistics and metrics to every interface, without a
# password. Keep them on loopback, then run the real program as this process.
set -eu
for argument in "$@"; do
    case "$argument" in
        *.cfg) sed -i -E 's/^([[:space:]]*bind) \*?:([0-9]+)/\1 127.0.0.1:\2/' "$argument" ;;
    esac
done
exec "$OPTIONCHAIN_HAPROXY" "$@"
