#!/bin/sh
# HAProxy as we want it. Ray's configuration passes no client's address on, answers for replicas that are busy or gone in
# plain text (and as 500), and binds statistics and metrics to every interface, without a password. Amend it (the last only
# for an instance on loopback), see that it was amended, then run the real program as this process. Where Ray has another
# configuration than we know, none is run: one that is open to everybody would serve without a sign of it.
set -eu

busy='{"error":"the service has no room for more requests right now: try again"}'
gone='{"error":"the service is not available right now: try again"}'
# Only a variable outlives the answer that is replaced.
keep_id='http-response set-var(txn.request_id) res.hdr(x-request-id) if { status 503 }'
busy_answer="http-response return status 503 content-type application/json hdr Retry-After 1\
 hdr X-Request-Id %[var(txn.request_id)] string '$busy' if { status 503 } { res.hdr(content-type) -m beg text/plain }"

refuse() {
    message="HAProxy is not started: $1. This release of Ray writes another configuration than we can amend;\
 install the one that pyproject.toml names, or set OCS_HTTP_HAPROXY=false."
    echo "$message" >&2
    if [ -n "${OPTIONCHAIN_HAPROXY_REFUSAL:-}" ]; then echo "$message" >"$OPTIONCHAIN_HAPROXY_REFUSAL"; fi
    exit 1
}

check() {
    grep -q 'option forwardfor' "$1" || refuse "no line 'defaults' takes 'option forwardfor'"
    grep -qF "$keep_id" "$1" && grep -qF "$busy_answer" "$1" ||
        refuse "no line 'frontend http_frontend' takes the answer of a busy service"
    if [ "${OPTIONCHAIN_HAPROXY_LOOPBACK:-0}" = 1 ] &&
        grep -E '^[[:space:]]*bind[[:space:]]' "$1" | grep -qvE 'bind[[:space:]]+(127\.0\.0\.1|localhost|\[::1\]):|bind[[:space:]]+/'; then
        refuse "a line 'bind' is not on loopback"
    fi
}

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
    case "$argument" in *.cfg)
        amend "$argument"
        check "$argument"
        ;;
    esac
done
exec "$OPTIONCHAIN_HAPROXY" "$@"
