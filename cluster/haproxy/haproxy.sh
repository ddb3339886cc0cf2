#!/bin/sh
# What Ray is to run in place of HAProxy: see amended.py, beside this file.
exec "${OPTIONCHAIN_PYTHON:-python3}" -I "$(dirname "$0")/amended.py" "$@"
