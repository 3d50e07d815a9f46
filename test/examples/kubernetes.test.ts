import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { Config } from '../../config/schema.ts'
import { at, required, root, run, settings, world } from '../helper.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The maximum time that shutdown takes, in seconds. */
const STOP_SECONDS = 11

/** A Kubernetes object. Its properties depend on its kind. */
type Manifest = ReturnType<typeof JSON.parse>

const folder = 'examples/kubernetes'
const manifests: Manifest[] = readdirSync(join(root, folder)).flatMap(file =>
  parseAllDocuments(read(`${folder}/${file}`)).map(document => document.toJS())
)

const ofKind = (kind: string, name = 'trivial-api'): Manifest =>
  required(
    manifests.find(({ kind: own, metadata }) => own === kind && metadata.name.startsWith(name)),
    kind
  )

const deployment = ofKind('Deployment')
const job = ofKind('Job')
const service = ofKind('Service')
const templates: Manifest[] = [deployment.spec.template, job.spec.template]
const [node] = deployment.spec.template.spec.containers
const variables: Record<string, string> = Object.fromEntries(
  node.env.map(({ name, value }: Manifest) => [name, value] as const)
)

test('there is one object of each kind, and both pods have network policies', async t => {
  t.same(manifests.map(({ kind }) => kind).sort(), [
    'Deployment',
    'Ingress',
    'Job',
    'NetworkPolicy',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'ServiceMonitor'
  ])
  for (const { metadata } of manifests) t.match(metadata.name, /^trivial-api/)
})

test('each pod sets only variables that the service reads, as strings, and gets none for other services', async t => {
  for (const { spec } of templates) {
    t.equal(spec.enableServiceLinks, false)
    for (const { env, envFrom } of spec.containers) {
      for (const { name, value } of env) {
        t.ok(name in Config.properties, name)
        t.type(value, 'string')
      }
      t.match(at(envFrom as Manifest[]).secretRef.name, /^trivial-api/)
    }
  }
})

test("each pod runs as the image's user, and can't change files", async t => {
  const [, user] = required(/^USER (\d+):/m.exec(read('Dockerfile')) ?? undefined, 'USER')
  for (const { spec } of templates) {
    t.equal(spec.automountServiceAccountToken, false)
    t.match(spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    t.equal(spec.securityContext.runAsUser, Number(user))
    for (const { securityContext } of spec.containers) {
      t.same(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] }
      })
    }
  }
})

test('each pod mounts the certificates that DATABASE_CA refers to', async t => {
  for (const { spec } of templates) {
    const [{ env, volumeMounts }] = spec.containers
    const { value } = required<Manifest>(
      env.find(({ name }: Manifest) => name === 'DATABASE_CA'),
      'DATABASE_CA'
    )
    const mount = required<Manifest>(
      volumeMounts.find(({ mountPath }: Manifest) => value === `${mountPath}/ca.pem`),
      value
    )
    t.equal(mount.readOnly, true)
    t.same(
      spec.volumes.map(({ name }: Manifest) => name),
      [mount.name]
    )
  }
})

test('the probes call existing routes, and a pod has enough time to stop', async t => {
  const { fastify } = await world(t)
  for (const { httpGet } of [node.startupProbe, node.livenessProbe, node.readinessProbe]) {
    t.equal((await fastify.inject(httpGet.path)).statusCode, 200)
    t.equal(httpGet.port, 'http')
  }
  const { terminationGracePeriodSeconds: grace } = deployment.spec.template.spec
  t.ok(grace - Number(node.lifecycle.preStop.sleep.seconds) > STOP_SECONDS)
  t.equal(deployment.spec.strategy.rollingUpdate.maxUnavailable, 0)
})

const portOf = (name: string): unknown =>
  required(
    node.ports.find((port: Manifest) => port.name === name),
    name
  ).containerPort

test('nodes, services, policies and the ingress use the same ports', async t => {
  t.equal(portOf('http'), Number(/^ENV .*\bPORT=(\d+)/m.exec(read('Dockerfile'))?.[1]))
  t.equal(portOf('metrics'), Number(variables['METRICS_PORT']))
  t.equal(variables['METRICS_HOST'], '0.0.0.0')
  const names = node.ports.map((port: Manifest) => port.name)
  t.same(
    service.spec.ports.map((port: Manifest) => port.targetPort),
    names
  )
  t.same(
    service.spec.ports.map((port: Manifest) => port.name),
    names
  )
  const policy = ofKind('NetworkPolicy')
  t.same(
    policy.spec.ingress.flatMap((rule: Manifest) => rule.ports.map(({ port }: Manifest) => port)),
    names
  )
  const [{ host, http }] = ofKind('Ingress').spec.rules
  t.same(at(http.paths as Manifest[]).backend.service, { name: service.metadata.name, port: { name: 'http' } })
  t.equal(variables['PUBLIC_URL'], `https://${host}`)
  t.same(ofKind('Ingress').spec.tls[0].hosts, [host])
})

test('node selectors do not select the pod that runs the migrations', async t => {
  const nodes = deployment.spec.template.metadata.labels
  for (const [kind, selected] of [
    ['Deployment', deployment.spec.selector.matchLabels],
    ['Service', service.spec.selector],
    ['PodDisruptionBudget', ofKind('PodDisruptionBudget').spec.selector.matchLabels],
    ['NetworkPolicy', ofKind('NetworkPolicy').spec.podSelector.matchLabels]
  ] as const) {
    t.same(selected, nodes, kind)
  }
  t.notSame(job.spec.template.metadata.labels, nodes)
  t.same(ofKind('NetworkPolicy', 'trivial-api-migrate').spec.podSelector.matchLabels, job.spec.template.metadata.labels)
})

test('each pod can reach the database and DNS, only nodes can reach Redis, and nothing can reach the Job', async t => {
  const reached = ({ spec }: Manifest): unknown[] =>
    spec.egress.map((rule: Manifest) => rule.ports.map(({ port }: Manifest) => port))
  const [serving, migrating] = [ofKind('NetworkPolicy'), ofKind('NetworkPolicy', 'trivial-api-migrate')]
  t.same(reached(serving), [[5432], [6379], [53, 53]])
  t.same(reached(migrating), [[5432], [53, 53]])
  t.same(migrating.spec.egress[0], serving.spec.egress[0], 'both reach the same database')
  t.equal(migrating.spec.ingress, undefined)
  for (const { spec } of [serving, migrating]) t.same(spec.policyTypes, ['Ingress', 'Egress'])
})

test("Prometheus finds the nodes' metrics, under the job name that the alert rules expect", async t => {
  const { spec } = ofKind('ServiceMonitor')
  t.same(spec.selector.matchLabels, service.metadata.labels)
  t.match(spec.endpoints, [{ port: 'metrics', path: '/metrics' }])
  const name = service.metadata.labels[spec.jobLabel]
  const { groups } = parse(read('examples/prometheus-rules.yaml'))
  for (const { expr } of groups.flatMap((group: Manifest) => group.rules)) t.match(expr, `job="${name}"`)
})

test('the Job runs a command in the image that needs only the database', async t => {
  const [{ command, image }] = job.spec.template.spec.containers
  t.equal(image, node.image)
  const { version } = JSON.parse(read('package.json')) as { version: string }
  t.ok(image.endsWith(`:${version}`))
  t.ok(job.metadata.name.endsWith(`-${version.replaceAll('.', '-')}`))
  const [program, ...args] = command
  t.match(read('Dockerfile'), `ln -s /app/dist/cli/trivial.js /usr/local/bin/${program}`)
  const { DATABASE_URL } = settings(t).env
  const { code, stdout } = await run(t, 'cli/trivial.ts', { args, env: { DATABASE_URL } }).ended
  t.equal(code, 0)
  t.match(stdout, /is up to date\.$/m)
})
