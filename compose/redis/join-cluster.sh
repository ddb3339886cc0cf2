#!/bin/sh
# Joins six servers to one Redis Cluster of three primaries with a replica each, unless they are one already.
set -eu
REDISCLI_AUTH=$(cat "${PASSWORD_FILE:-/run/secrets/redis_password}")
export REDISCLI_AUTH
tries=${TRIES:-120}
says() { redis-cli -h redis-cluster-1 cluster info | grep -q "$1"; }

if says cluster_slots_assigned:0; then
    # A cluster knows its nodes by address.
    nodes=
    for number in 1 2 3 4 5 6; do
        nodes="$nodes $(getent hosts "redis-cluster-$number" | cut -d " " -f 1):6379"
    done
    # shellcheck disable=SC2086  (six arguments)
    redis-cli --cluster create $nodes --cluster-replicas 1 --cluster-yes
fi
until says cluster_state:ok; do
    tries=$((tries - 1))
    if [ $tries -eq 0 ]; then
        echo "join-cluster: the six are not one cluster: docker compose logs redis-cluster-1" >&2
        exit 1
    fi
    sleep 1
done
