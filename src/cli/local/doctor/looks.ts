import { execFile } from 'node:child_process'
import { access, constants, mkdtemp, open, readFile, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { systemCode, type Clock } from '../../../kernel/std/index.ts'
import { diagnoseFlush, diagnoseSpace, type Diagnosis } from './diagnosis.ts'

const flushes = 9

/** The nearest directory that exists: the data directory itself may not have been made yet. */
async function nearestExisting(directory: string): Promise<string> {
  const here = await access(directory).then(
    () => true,
    () => false,
  )
  return here || directory === dirname(directory) ? directory : nearestExisting(dirname(directory))
}

async function measureFlushes(file: string, clock: Clock): Promise<readonly number[]> {
  const handle = await open(file, 'w')
  try {
    const tookMs: number[] = []
    for (let round = 0; round < flushes; round++) {
      await handle.write('x'.repeat(4096))
      const startedMs = clock.monotonicMs()
      await handle.datasync()
      tookMs.push(clock.monotonicMs() - startedMs)
    }
    return tookMs
  } finally {
    await handle.close()
  }
}

/** Whether the data directory can be written, how much room it has, and how fast it is. Leaves nothing behind. */
export async function lookAtDisk(dataDirectory: string, clock: Clock): Promise<readonly Diagnosis[]> {
  const directory = await nearestExisting(dataDirectory)
  let probe: string
  try {
    probe = await mkdtemp(join(directory, '.holdfast-doctor-'))
  } catch (error) {
    const says = `${directory} cannot be written (${systemCode(error) ?? 'unknown reason'})`
    return [{ about: 'data directory', state: 'fail', says, mend: `chown "$USER" ${directory}` }]
  }
  try {
    const { bavail, bsize } = await statfs(directory)
    const flushMs = await measureFlushes(join(probe, 'flush'), clock)
    return [
      { about: 'data directory', state: 'ok', says: `${dataDirectory} can be written` },
      diagnoseSpace(bavail * bsize, directory),
      diagnoseFlush(flushMs, directory),
    ]
  } finally {
    await rm(probe, { recursive: true, force: true })
  }
}

/** Whether nobody listens on a port yet. */
export function lookAtPort(host: string, port: number, what: string): Promise<Diagnosis> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      const code = systemCode(error)
      const busy = code === 'EADDRINUSE'
      resolve({
        about: what,
        state: 'fail',
        says: busy
          ? `another program listens on ${host}:${port}`
          : `cannot listen on ${host}:${port} (${code})`,
        mend: busy
          ? `ss -ltnp 'sport = :${port}'`
          : `sysctl -w net.ipv4.ip_unprivileged_port_start=${Math.min(port, 80)}`,
      })
    })
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve({ about: what, state: 'ok', says: `${host}:${port} is free` }))
    })
  })
}

/** Whether CPU and memory of services can be limited. */
export async function lookAtControlGroups(): Promise<Diagnosis> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '')
  const unified = /^0::(.*)$/m.exec(own)?.[1]
  const candidates =
    unified === undefined || /^[1-9]\d*:memory:/m.test(own)
      ? ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/cpu']
      : [join('/sys/fs/cgroup', unified)]
  for (const path of candidates) {
    const writable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    )
    if (!writable) {
      return {
        about: 'control groups',
        state: 'warn',
        says: `${path} is not writable: no limits of CPU and memory for services`,
        mend: 'systemd-run --user --scope -p Delegate=yes holdfast up, or start it as root',
      }
    }
  }
  return { about: 'control groups', state: 'ok', says: 'CPU and memory of services can be limited' }
}

/** Whether the network keeps the clock; null when this machine cannot say. */
export function lookAtClock(): Promise<boolean | null> {
  return new Promise((resolve) => {
    execFile(
      'timedatectl',
      ['show', '-p', 'NTPSynchronized', '--value'],
      { timeout: 3000 },
      (error, stdout) => {
        resolve(error === null ? stdout.trim() === 'yes' : null)
      },
    )
  })
}
