#!/bin/sh
# Joins six servers to one Redis Cluster of three primaries with a replica each, unless they are one already.
set -eu
REDISCLI_AUTH=$(cat "${PASSWORD_FILE:-/run/secrets/redis_password}")
export REDISCLI_AUTH
first=redis-cluster-1
if redis-cli -h "$first" cluster info | grep -q "cluster_state:ok"; then
    exit 0
fi
# A cluster knows its nodes by address.
nodes=
for number in 1 2 3 4 5 6; do
    address=$(getent hosts "redis-cluster-$number" | cut -d " " -f 1)
    nodes="$nodes $address:6379"
done
# shellcheck disable=SC2086  (six arguments)
redis-cli --cluster create $nodes --cluster-replicas 1 --cluster-yes
until redis-cli -h "$first" cluster info | grep -q "cluster_state:ok"; do
    sleep 1
done
