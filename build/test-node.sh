#!/usr/bin/env bash
# npm run test:node -- [--start-only] <version of Node.js>…: tests a copy of the project with each version of
# Node.js, which comes from the npm registry. With --start-only, it only installs the packages, migrates a database, and
# starts and calls the service.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

start_only=
if [ "${1:-}" = --start-only ]; then start_only=yes; shift; fi
if [ $# = 0 ]; then
  echo 'Usage: npm run test:node -- [--start-only] <version of Node.js>…, such as: npm run test:node -- 22 24 26' >&2
  exit 2
fi

# Migrates a database, issues a key, starts the service, and calls it with the key.
start() {
  export CLIENT_SECRET='a secret that only this test of a start uses' PORT=0
  export DATABASE_URL="file:$PWD/start.db"
  npm run --silent db:migrate
  local token service address
  token=$(npm run --silent key:issue -- --name start --json | node -p 'JSON.parse(fs.readFileSync(0)).key_access_token')
  node dist/server.js > start.log &
  service=$!
  until address=$(grep -om1 'Server listening at http:[^"]*' start.log); do kill -0 $service && sleep 0.1; done
  curl --fail --silent --show-error --output start.json "${address#Server listening at }/apps" -H "Authorization: Bearer $token"
  kill $service
  wait $service
}

test_on() {
  local folder=$1 version=$2
  local platform home
  platform=$(node -p '`node-${process.platform}-${process.arch}`')
  home=$folder/node_modules/$platform
  mkdir "$folder/project"
  # git also lists deleted files if the deletion hasn't been committed yet.
  git ls-files -z --cached --others --exclude-standard | { xargs -0 ls -d 2> /dev/null || true; } |
    tar -cf - --files-from - | tar -xf - -C "$folder/project"
  unset npm_config_prefix npm_config_nodedir
  npm install --no-save --prefix "$folder" "$platform@$version"
  cd "$folder/project"
  export PATH="$home/bin:$PATH" npm_config_nodedir="$home"
  node -p '`\nNode ${[process.version, process.release.lts].filter(Boolean).join(" ")}`'
  npm ci ${start_only:+--omit=dev}
  (start)
  # Coverage is checked on only one version of Node.js, because each version of V8 counts branches differently.
  if [ -z "$start_only" ]; then npm run build:test && npx tap --disable-coverage; fi
}

results=() failed=0
for version; do
  folder=$(mktemp -d)
  # The subshell stops at the first failure because of set -e. The loop continues with the next version.
  set +e
  (set -e; test_on "$folder" "$version")
  code=$?
  set -e
  if [ $code = 0 ]; then results+=("Node $version: passed"); else results+=("Node $version: failed"); failed=1; fi
  rm -rf "$folder"
done
printf '%s\n' '' "${results[@]}"
exit $failed
