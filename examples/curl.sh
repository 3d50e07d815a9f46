#!/bin/sh
# Lists all apps, page by page, with one line of JSON per app:
#
#   KEY_ACCESS_TOKEN=… BASE=http://localhost:3000 sh examples/curl.sh
#
# BASE can have a path: https://example.com/keys
#
# curl reads the token from standard input, because every user of the machine can see a process's arguments. printf is
# built into the shell, so it isn't a process.
set -eu

base=${BASE:-http://localhost:3000}
host=$(printf '%s\n' "$base" | sed -E 's|^(https?://[^/]*).*|\1|')
url="$base/apps?limit=10"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

while [ -n "$url" ]; do
  status=$(printf 'header = "Authorization: Bearer %s"\n' "${KEY_ACCESS_TOKEN:-}" |
    curl --silent --show-error --config - --header 'Accept: application/x-ndjson' --write-out '%{http_code}' \
      --dump-header "$folder/headers" --output "$folder/body" "$url")
  if [ "$status" != 200 ]; then
    # The detail of a problem document (RFC 9457) contains the reason.
    printf '%s\n' "$status: $(sed -nE 's/.*"detail":"(([^"\\]|\\.)*)".*/\1/p' "$folder/body")" >&2
    exit 1
  fi
  cat "$folder/body"
  # Link: </apps?limit=10&after=…>; rel="next" is the path or URL of the next page. The last page has no such header.
  url=$(sed -n 's/^[Ll]ink: <\([^>]*\)>; *rel="next".*/\1/p' "$folder/headers" | sed "s|^/|$host/|")
done
