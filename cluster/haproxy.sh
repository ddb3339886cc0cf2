#!/bin/sh
# HAProxy as we want it: Ray's configuration passes no client's address on, and binds statistics and metrics to every
# interface, without a password. Amend it (the second for an instance on loopback), then run the real program as this
# process.
set -eu
for argument in "$@"; do
    case "$argument" in
        *.cfg)
            grep -q '^ *option forwardfor$' "$argument" || sed -i 's/^defaults$/&\n    option forwardfor/' "$argument"
            if [ "${OPTIONCHAIN_HAPROXY_LOOPBACK:-0}" = 1 ]; then
                sed -i -E 's/^([[:space:]]*bind) \*?:([0-9]+)/\1 127.0.0.1:\2/' "$argument"
            fi
            ;;
    esac
done
exec "$OPTIONCHAIN_HAPROXY" "$@"
