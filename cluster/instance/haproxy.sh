#!/bin/sh
# What Ray is to run in place of HAProxy: see haproxy.py, beside this file.
exec "${OPTIONCHAIN_PYTHON:-python3}" -I "$(dirname "$0")/haproxy.py" "$@"
