#!/bin/sh
# sh build/run.sh <program> [arguments]: runs a program in dist/. It replaces this shell, so that signals reach it.
program=$(dirname "$0")/../dist/$1
shift
if [ ! -f "$program" ]; then
  echo 'The project has not been built. Build it with: npm run build' >&2
  exit 1
fi
exec node "$program" "$@"
