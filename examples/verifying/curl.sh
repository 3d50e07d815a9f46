#!/bin/sh
# Prints whether a token has a scope, as the service's reply. It requires only curl:
#
#   KEY_ACCESS_TOKEN=… BASE=http://localhost:3000 sh examples/verifying/curl.sh orders:read < token.txt
#
# KEY_ACCESS_TOKEN is the token of a key with the scope tokens:introspect:orders. Ends with 0 if the token is active, 1 if
# it isn't, and 2 if the service couldn't be asked. Credentials are passed on standard input, which ps doesn't show.

IFS= read -r token || [ -n "$token" ] || exit 1
case $token in '' | *[!A-Za-z0-9._~+/=-]*) exit 1 ;; esac

reply=$(
  curl --config - --silent --show-error --fail --max-time 2 --data-urlencode "scope=$1" \
    "${BASE:-http://localhost:3000}/introspect" <<END
header = "Authorization: Bearer $KEY_ACCESS_TOKEN"
data-urlencode = "token=$token"
END
) || exit 2
printf '%s\n' "$reply"
case $reply in
  '{"active":true,'*) exit 0 ;;
  '{"active":false}') exit 1 ;;
  *) exit 2 ;;
esac
