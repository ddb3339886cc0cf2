#!/bin/sh
# Starts a Redis as what it was when it ended: sentinels tell it to be the primary or a replica, and have it write that down.
# The first time it is a replica of $PRIMARY, or the primary where there is none.
set -eu
umask 077
own=/data/redis.conf
role=${PRIMARY:+replicaof $PRIMARY 6379}
if [ -e $own ]; then
    role=$(sed -n '/^replicaof /p' $own)
fi
# By its name it is found again when its address has changed.
cat >$own.new <<END
include /etc/redis/redis.conf
replica-announce-ip $HOSTNAME
min-replicas-to-write ${MIN_REPLICAS:-0}
$role
END
mv $own.new $own
exec redis-server $own
