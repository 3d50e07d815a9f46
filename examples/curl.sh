#!/usr/bin/env bash
# Lists every app, page by page, as one line of JSON each:
#
#   KEY_ACCESS_TOKEN=… BASE=http://localhost:3000 bash examples/curl.sh
#
# BASE may have a path: https://example.com/keys
#
# The token goes to curl through standard input: arguments are visible to every user of the machine.
set -euo pipefail

base=${BASE:-http://localhost:3000}
host=$(sed -E 's|^(https?://[^/]*).*|\1|' <<< "$base")
url="$base/apps?limit=10"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

while [ -n "$url" ]; do
  status=$(curl --silent --show-error --config - --header 'Accept: application/x-ndjson' --write-out '%{http_code}' \
    --dump-header "$folder/headers" --output "$folder/body" "$url" \
    <<< "header = \"Authorization: Bearer ${KEY_ACCESS_TOKEN:-}\"")
  if [ "$status" != 200 ]; then
    # A problem document (RFC 9457) has the reason in its member detail.
    echo "$status: $(sed -nE 's/.*"detail":"(([^"\\]|\\.)*)".*/\1/p' "$folder/body")" >&2
    exit 1
  fi
  cat "$folder/body"
  # Link: </apps?limit=10&after=…>; rel="next" is the next page, also as a whole URL; the last page has none.
  url=$(sed -n 's/^[Ll]ink: <\([^>]*\)>; *rel="next".*/\1/p' "$folder/headers" | sed "s|^/|$host/|")
done
