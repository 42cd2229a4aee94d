import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { edge } from '../src/capabilities/edge/index.ts'
import { median, type BenchResult, type Figure } from './harness.ts'

const rounds = 5
const seconds = 3
const connections = 32
/** Clock ticks of a second in /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

type Contestant = 'edge' | 'nginx' | 'haproxy'
const contestants: readonly Contestant[] = ['edge', 'nginx', 'haproxy']

interface Round {
  /** Requests for each second of processor time that the proxy used. */
  readonly perCore: number
  readonly p99Ms: number
}

/**
 * The edge with one thread against nginx with one worker and HAProxy with one thread, all before the same origin (nginx,
 * `return 200`), over keep-alive connections. Throughput is counted per second of processor time that the proxy itself
 * used, so what else runs on the machine does not count; p99 is of the wall clock and does suffer.
 */
export async function run(): Promise<BenchResult> {
  refuseWithoutPrograms()
  const directory = mkdtempSync(join(tmpdir(), 'edge-bench-'))
  const children: ChildProcess[] = []
  try {
    const proxies = await startAll(directory, children)
    const measured = await measureAll(proxies)
    return { bench: 'edge', figures: figuresOf(measured) }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await delay(200)
    rmSync(directory, { recursive: true, force: true })
  }
}

function refuseWithoutPrograms(): void {
  const wanted = { nginx: 'nginx-light', haproxy: 'haproxy', wrk: 'wrk' }
  const missing = Object.entries(wanted).filter(([program]) => spawnSync(program, ['-v']).error !== undefined)
  if (missing.length === 0) return
  const packages = missing.map(([, name]) => name).join(' ')
  throw new Error(`this bench needs programs that are not here; on Debian: apt-get install ${packages}`)
}

interface Proxy {
  readonly port: number
  /** Of the process that does the work. */
  readonly pid: number
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startAll(directory: string, children: ChildProcess[]): Promise<Record<Contestant, Proxy>> {
  const [origin, nginx, haproxy, ours] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const start = (
    program: string,
    parameters: readonly string[],
    variables: Record<string, string> = {},
  ): ChildProcess => {
    const child = spawn(program, parameters, { stdio: 'ignore', env: { ...process.env, ...variables } })
    children.push(child)
    return child
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  start('nginx', ['-p', directory, '-c', file('origin.conf', originConfiguration(origin, directory))])
  const nginxChild = start('nginx', [
    '-p',
    directory,
    '-c',
    file('nginx.conf', nginxConfiguration(nginx, origin, directory)),
  ])
  const haproxyChild = start('haproxy', [
    '-db',
    '-f',
    file('haproxy.cfg', haproxyConfiguration(haproxy, origin)),
  ])
  const data = join(directory, 'data')
  writePolicy(data, ours, origin)
  const main = fileURLToPath(new URL('../src/server/edge/main.ts', import.meta.url))
  const edgeChild = start(process.execPath, [main], { HOLDFAST_DATA: data, HOLDFAST_EDGE_THREADS: '1' })
  for (const port of [origin, nginx, haproxy, ours]) await answers(port)
  return {
    edge: { port: ours, pid: edgeChild.pid ?? 0 },
    nginx: { port: nginx, pid: nginxChild.pid ?? 0 },
    haproxy: { port: haproxy, pid: haproxyChild.pid ?? 0 },
  }
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const status = await fetch(`http://127.0.0.1:${port}/pass`).then(
      async (answer) => (await answer.text(), answer.status),
      () => 0,
    )
    if (status === 200) return
    await delay(50)
  }
  throw new Error(`nothing answers on port ${port}`)
}

const nginxHead = (directory: string): string => `
daemon off; master_process off; pid ${join(directory, 'pid')}; error_log ${join(directory, 'error.log')} crit;
events { worker_connections 4096; }
`
const nginxPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const temporary = (directory: string): string =>
  nginxPaths
    .filter((name) => name === 'client_body' || name === 'proxy')
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join(' ')

function originConfiguration(port: number, directory: string): string {
  return `${nginxHead(directory).replace('/pid;', '/origin-pid;')}
http { access_log off; keepalive_requests 1000000000; ${temporary(directory)}
  server { listen 127.0.0.1:${port}; location / { return 200 "hello, world\\n"; } } }`
}

function nginxConfiguration(port: number, origin: number, directory: string): string {
  return `${nginxHead(directory)}
http { access_log off; keepalive_requests 1000000000; ${temporary(directory)}
  limit_req_zone $binary_remote_addr zone=wide:10m rate=1000000r/s;
  limit_req_zone $binary_remote_addr zone=narrow:10m rate=1r/m;
  limit_req_status 429;
  upstream origin { server 127.0.0.1:${origin}; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
    location /pass { limit_req zone=wide burst=1000000 nodelay; proxy_pass http://origin; }
    location /refuse { limit_req zone=narrow; proxy_pass http://origin; } } }`
}

function haproxyConfiguration(port: number, origin: number): string {
  return `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 3s
  option forwardfor
frontend world
  bind 127.0.0.1:${port} backlog 4096
  stick-table type ip size 1m expire 1h store http_req_rate(1h)
  http-request track-sc0 src
  http-request deny deny_status 429 if { path_beg /refuse } { sc_http_req_rate(0) gt 1 }
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 2000000000 }
  default_backend origin
backend origin
  server one 127.0.0.1:${origin}
`
}

function writePolicy(data: string, port: number, origin: number): void {
  const section = edge.config.parse({
    listen: [{ port }],
    routes: {
      'GET /pass': { to: 'origin', limit: '1000000/s per ip burst 1000000' },
      'GET /refuse': { to: 'origin', limit: '1/day per ip' },
    },
  })
  const targets = [{ id: 'origin/1', origin: `http://127.0.0.1:${origin}` }]
  const upstreams = [{ name: 'origin', targets, healthPath: null }]
  mkdirSync(join(data, 'edge'), { recursive: true })
  const policy = edge.compile(section, { environment: 'bench', upstreams })
  writeFileSync(join(data, 'edge', 'policy.json'), JSON.stringify(policy))
}

type Measured = Record<'pass' | 'refuse', Record<Contestant, Round>>

async function measureAll(proxies: Record<Contestant, Proxy>): Promise<Measured> {
  const all = new Map<string, Round[]>()
  for (const path of ['pass', 'refuse'] as const) {
    for (const name of contestants) await measure(proxies[name], path, 1)
    for (let round = 0; round < rounds; round++) {
      for (const name of contestants) {
        const key = `${path} ${name}`
        all.set(key, [...(all.get(key) ?? []), await measure(proxies[name], path, seconds)])
      }
    }
  }
  const middle = (path: string, name: Contestant): Round => {
    const own = all.get(`${path} ${name}`) ?? []
    return {
      perCore: median(own.map(({ perCore }) => perCore)),
      p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
    }
  }
  const each = (path: string) =>
    Object.fromEntries(contestants.map((name) => [name, middle(path, name)])) as Record<Contestant, Round>
  return { pass: each('pass'), refuse: each('refuse') }
}

/** Seconds of processor time that a process has used, all threads together (proc(5), fields 14 and 15). */
function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

async function measure({ port, pid }: Proxy, path: string, durationSeconds: number): Promise<Round> {
  const before = processorSeconds(pid)
  const parameters = [
    '-t1',
    `-c${connections}`,
    `-d${durationSeconds}s`,
    '--latency',
    `http://127.0.0.1:${port}/${path}`,
  ]
  const text = await output('wrk', parameters)
  const used = processorSeconds(pid) - before
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  const expected = path === 'refuse' ? requests - refused < 10 : refused === 0
  if (!expected) throw new Error(`port ${port} did not do what it should for /${path}:\n${text}`)
  return { perCore: requests / used, p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)) }
}

function milliseconds(match: RegExpExecArray | null): number {
  const scale = { us: 0.001, ms: 1, s: 1000 }[match?.[2] as 'us' | 'ms' | 's']
  return Number(match?.[1]) * scale
}

function output(program: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
}

function figuresOf({ pass, refuse }: Measured): readonly Figure[] {
  const peers = { nginx: version('nginx', ['-v']), haproxy: version('haproxy', ['-v']) } as const
  const compare = (name: string, unit: string, pick: (name: Contestant) => number): readonly Figure[] =>
    (['nginx', 'haproxy'] as const).map((peer) => ({
      name: `${name}, ${peer}`,
      value: pick('edge'),
      unit,
      peer: peers[peer],
      peerValue: pick(peer),
      ratio: pick('edge') / pick(peer),
    }))
  return [
    ...compare('pass-through per core', 'requests/s', (name) => pass[name].perCore),
    ...compare('refusals per core', 'requests/s', (name) => refuse[name].perCore),
    ...compare('pass-through, 99th percentile', 'ms', (name) => pass[name].p99Ms),
  ]
}

function version(program: string, parameters: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' })
  return `${program} ${/\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? ''}`
}
