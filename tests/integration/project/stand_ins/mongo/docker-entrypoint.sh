#!/usr/bin/env bash
# As the official image's: on an empty folder, a server that only this container reaches makes the user, and ends.
set -euo pipefail
[ "$1" = mongod ] || exec "$@"
user=${MONGO_INITDB_ROOT_USERNAME:-}
if [ -n "$user" ] && [ ! -e /data/db/WiredTiger ]; then
    place=(--dbpath /data/db --bind_ip 127.0.0.1 --pidfilepath /tmp/first.pid --logpath /tmp/first.log)
    mongod "${place[@]}" --fork
    PASSWORD=$(cat "$MONGO_INITDB_ROOT_PASSWORD_FILE") USER=$user mongosh --quiet admin --eval \
        'db.createUser({user: process.env.USER, pwd: process.env.PASSWORD, roles: ["root"]})'
    mongod "${place[@]}" --shutdown
fi
exec "$@" ${user:+--auth}
