#!/bin/sh
# HAProxy as we want it. Ray's configuration passes no client's address on, answers for replicas that are busy or gone in
# plain text (and as 500), and binds statistics and metrics to every interface, without a password. Amend it (the last only
# for an instance on loopback), then run the real program as this process.
set -eu

busy='{"error":"the service has no room for more requests right now: try again"}'
gone='{"error":"the service is not available right now: try again"}'
# Only a variable outlives the answer that is replaced.
keep_id='http-response set-var(txn.request_id) res.hdr(x-request-id) if { status 503 }'
busy_answer="http-response return status 503 content-type application/json hdr Retry-After 1\
 hdr X-Request-Id %[var(txn.request_id)] string '$busy' if { status 503 } { res.hdr(content-type) -m beg text/plain }"

amend() {
    if ! grep -q 'option forwardfor' "$1"; then
        sed -i -e 's/^defaults$/&\n    option forwardfor/' \
            -e "s|^frontend http_frontend\$|&\n    $keep_id\n    $busy_answer|" "$1"
    fi
    # What it answers by itself instead of 502, 503 and 504.
    printf 'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nContent-Length: %d\r\n\r\n%s' \
        "${#gone}" "$gone" >"$(dirname "$1")/500.http"
    if [ "${OPTIONCHAIN_HAPROXY_LOOPBACK:-0}" = 1 ]; then
        sed -i -E 's/^([[:space:]]*bind) \*?:([0-9]+)/\1 127.0.0.1:\2/' "$1"
    fi
}

for argument in "$@"; do
    case "$argument" in *.cfg) amend "$argument" ;; esac
done
exec "$OPTIONCHAIN_HAPROXY" "$@"
