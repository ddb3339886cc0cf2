#!/bin/sh
# Starts a sentinel on what it knew when it ended, which it keeps in a configuration of its own.
set -eu
umask 077
own=/data/sentinel.conf
if [ ! -e $own ]; then
    {
        cat /etc/redis/sentinel.conf
        echo "sentinel announce-ip $HOSTNAME"
        echo "sentinel auth-pass optionchain $(cat /run/secrets/redis_password)"
    } >$own.new
    mv $own.new $own
fi
exec redis-sentinel $own
