#!/bin/sh
# sh build/run.sh <program> [arguments]: runs a program of dist/ in the place of this shell, so that signals reach it.
program=$(dirname "$0")/../dist/$1
shift
if [ ! -f "$program" ]; then
  echo 'There is no build to run. Make one with: npm run build' >&2
  exit 1
fi
exec node "$program" "$@"
