import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { freePort } from '../services.ts'
import { pages } from './markdown.ts'
import type { Block, Page } from './markdown.ts'
import { emptyWorkplace, preparedWorkplace } from './workplace.ts'
import type { Workplace } from './workplace.ts'

/** The pages for getting started, whose commands run in an empty folder. */
const GETTING_STARTED = ['README.md', 'docs/configuration.md', 'docs/verifying.md']

/** The page whose programs are run by test/package in an empty project. */
const RUN_ELSEWHERE = 'docs/plugin.md'

/** The pages whose programs other tests run. Only their commands run here. */
const ONLY_COMMANDS = ['docs/verifying.md']

/** Commands that serve until they are stopped. */
const SERVICES = /(^|&& |\w=\w+ )npm (start|run quickstart)$/

const NO_DOCKER = 'needs a Docker engine'
const NO_KUBERNETES = 'needs Kubernetes'
const NO_SYSTEMD = 'needs systemd'
const IN_TEST_DB = 'is run by test/db on the PostgreSQL server of the tests'

/** The commands that can't be run here, with the reasons. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'npm install': 'needs the package registry',
  'npm ci': 'needs the package registry',
  'npm test': 'runs this test',
  'npm run lint': 'takes minutes',
  'npm run format': 'changes the sources',
  'npm run build': 'replaces the build that concurrent tests use',
  'npm run build:test': 'replaces the running tests',
  'npx tap --disable-coverage dist-test/test/config/config.test.js': 'is run by npm test like all tests',
  'npm run dev': 'serves from the sources like npm start from the build',
  'npm run bench': 'takes ten minutes',
  'npm run db:copy -- --to postgres://trivial@db.example.com/trivial':
    'is run by test/cli on the PostgreSQL server of the tests',
  'npm run cluster -- --nodes 3 --once': 'is run by test/examples on the PostgreSQL server of the tests',
  "psql postgres://postgres@db.example.com/postgres --command 'create role trivial_owner login'": IN_TEST_DB,
  "psql postgres://postgres@db.example.com/postgres --command 'create role trivial_serve login'": IN_TEST_DB,
  "psql postgres://postgres@db.example.com/postgres --command 'create database trivial owner trivial_owner'":
    IN_TEST_DB,
  'export DATABASE_URL=postgres://trivial_owner@db.example.com/trivial': IN_TEST_DB,
  'npm run --silent db:grants -- trivial_serve | psql "$DATABASE_URL" --quiet --set ON_ERROR_STOP=1': IN_TEST_DB,
  'pg_dump --format=custom --file=trivial.dump postgres://trivial_owner@db.example.com/trivial': IN_TEST_DB,
  "psql postgres://postgres@db.example.com/postgres --command 'create database trivial_restored owner trivial_owner'":
    IN_TEST_DB,
  'pg_restore --exit-on-error --dbname=postgres://trivial_owner@db.example.com/trivial_restored trivial.dump':
    IN_TEST_DB,
  "last=$(psql postgres://trivial_owner@db.example.com/trivial_restored -Atc 'select sequence from audit_head')":
    IN_TEST_DB,
  [`after="sequence > $last and subject_type = 'client_key'"`]: IN_TEST_DB,
  'psql postgres://trivial_owner@db.example.com/trivial --csv -c "select at, action, subject_id from audits where $after"':
    IN_TEST_DB,
  "psql postgres://postgres@db.example.com/postgres --command 'alter database trivial rename to trivial_replaced'":
    IN_TEST_DB,
  "psql postgres://postgres@db.example.com/postgres --command 'alter database trivial_restored rename to trivial'":
    IN_TEST_DB,
  'docker build --tag trivial-api .': NO_DOCKER,
  'docker run --env-file .env --publish 3000:3000 --volume trivial-data:/data trivial-api': NO_DOCKER,
  'docker exec <container> trivial key list': NO_DOCKER,
  'echo "CLIENT_SECRET=$(openssl rand -hex 32)" > examples/.env': 'writes to the examples folder, which compose reads',
  'echo "POSTGRES_PASSWORD=$(openssl rand -hex 24)" >> examples/.env':
    'writes to the examples folder, which compose reads',
  'docker compose --file examples/compose.yaml up --build --wait': NO_DOCKER,
  'docker compose --file examples/compose.yaml exec node-1 trivial key issue --name billing-sync': NO_DOCKER,
  'kubectl create secret generic trivial-api --from-env-file=.env': NO_KUBERNETES,
  'kubectl create secret generic trivial-api-owner --from-env-file=owner.env': NO_KUBERNETES,
  'kubectl create configmap trivial-api-database-ca --from-file=ca.pem': NO_KUBERNETES,
  'kubectl apply --filename examples/kubernetes/migrate.yaml': NO_KUBERNETES,
  'kubectl wait --for=condition=complete --timeout=10m job/trivial-api-migrate-0-1-0': NO_KUBERNETES,
  'kubectl apply --filename examples/kubernetes/': NO_KUBERNETES,
  'kubectl rollout status deployment/trivial-api': NO_KUBERNETES,
  'systemd-analyze verify examples/trivial-api.service': NO_SYSTEMD,
  'systemd-analyze security --offline=true examples/trivial-api.service': NO_SYSTEMD,
  'systemctl enable --now trivial-api-backup.timer': NO_SYSTEMD,
  'systemd-run --quiet --pipe --wait --collect --uid=trivial-api --working-directory=/var/lib/trivial-api \\':
    NO_SYSTEMD,
  '  --property=EnvironmentFile=/etc/trivial-api.env --property=UMask=0077 \\': NO_SYSTEMD,
  '  /usr/bin/node /opt/trivial-api/dist/cli/trivial.js key issue --name billing-sync --json > /root/billing-sync.json':
    NO_SYSTEMD,
  'promtool check rules examples/prometheus-rules.yaml': 'is run by test/examples'
}

/** The languages of blocks that are run, and of blocks that only show output or a file's content. */
const RUN = ['sh', 'js', 'ts']
const SHOWN = ['text', 'json', 'http', 'mermaid']

const ADDRESS = 'localhost:3000'

/** The port of the reader's own program. */
const OWN_PORT = /\b4000\b/g

const isLeftOut = (command: string): boolean => Object.hasOwn(NOT_RUN, command)

const commandsIn = (line: string): string[] => line.split(' && ')

/** Returns a block's script, without the commands that aren't run. */
const scriptOf = ({ language, line, text }: Block, { folder }: Workplace): string => {
  if (language === 'sh') {
    const lines = text.split('\n').map(line =>
      commandsIn(line)
        .map(one => (isLeftOut(one) ? ':' : one))
        .join(' && ')
    )
    return lines.join('\n')
  }
  const file = `block-${line}.${language === 'ts' ? 'ts' : 'mjs'}`
  writeFileSync(join(folder, file), text)
  return language === 'ts' ? `node --import tsx ${file}` : `node ${file}`
}

/** Runs a page's commands, and returns the folder in which they ran. */
const runPage = async (t: Test, { path, blocks }: Page): Promise<string> => {
  const isPrepared = !GETTING_STARTED.includes(path)
  const workplace = isPrepared ? preparedWorkplace(t) : emptyWorkplace(t)
  const ownPort = String(await freePort())
  const languages = ONLY_COMMANDS.includes(path) ? ['sh'] : RUN
  let port: number | null = null
  for (const block of blocks.filter(({ language }) => languages.includes(language))) {
    const where = `${path}:${block.line}`
    if (block.before !== null) {
      t.equal(block.before, 'stop the service', where)
      await workplace.stop()
      port = null
    }
    if (port === null && isPrepared && block.text.includes(ADDRESS)) port = await workplace.serve('npm start')
    const text = block.text.replaceAll(ADDRESS, `127.0.0.1:${port ?? 'none'}`).replaceAll(OWN_PORT, ownPort)
    const script = scriptOf({ ...block, text }, workplace)
    if (SERVICES.test(script)) {
      port = await workplace.serve(script)
      t.pass(where)
    } else {
      const { code, output } = await workplace.run(script)
      t.equal(code, 0, where, code === 0 ? {} : { script, output })
    }
  }
  await workplace.stop()
  return workplace.folder
}

const NAMES = 'select group_concat(descriptive_name) as apps, (select group_concat(name) from users) as users from apps'
const MARKS = 'select name from database_marks'

/** Checks that the manual walkthrough created its app in a database without sample data. */
const checkReadme = (t: Test, folder: string): void => {
  const [own, sample] = ['trivial', 'sample'].map(name => {
    const db = new Database(join(folder, `data/${name}.db`), { readonly: true })
    const found = { names: db.prepare(NAMES).all(), marks: db.prepare(MARKS).all() }
    db.close()
    return found
  })
  t.same(own, { names: [{ apps: 'Invoice Sync', users: 'Grace Ito' }], marks: [] })
  t.match(sample, { names: [{ users: /Ada Moreno/ }], marks: [{ name: 'sample' }] })
}

for (const page of pages.filter(({ blocks }) => blocks.some(({ language }) => RUN.includes(language)))) {
  if (page.path === RUN_ELSEWHERE) continue
  test(`every command in ${page.path} runs`, async t => {
    const folder = await runPage(t, page)
    if (page.path === 'README.md') checkReadme(t, folder)
  })
}

test('every code block either is run or shows output', async t => {
  for (const { path, blocks } of pages) {
    for (const { language, line } of blocks) t.ok([...RUN, ...SHOWN].includes(language), `${path}:${line} ${language}`)
  }
})

test('every command that is not run is on a page', async t => {
  const lines = pages.flatMap(({ blocks }) => blocks.flatMap(({ text }) => text.split('\n')))
  const commands = new Set(lines.flatMap(commandsIn))
  for (const command of Object.keys(NOT_RUN)) t.ok(commands.has(command), command)
})
