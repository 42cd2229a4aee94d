import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ran } from '../holdfast/index.ts'
import { until } from '../holdfast/index.ts'

/** A machine of its own as far as systemd and processes are concerned; its files are those of this one. */
export interface Machine {
  /** Starts systemd as process 1, and resolves when it has started what is enabled. */
  boot(): Promise<void>
  /** Cuts the power: every process of the machine is gone. */
  cutPower(): Promise<void>
  /** Runs a command in it to its end. */
  run(directory: string, command: readonly string[]): Ran
  /** Its directory of units, which outlives its power. */
  readonly units: string
  /** Cuts the power and removes what was made for it. */
  remove(): Promise<void>
}

const apart = ['--pid', '--fork', '--mount', '--cgroup', '--uts', '--ipc', '--net', '--kill-child=SIGKILL']

/** Whether this user may make machines here. */
export function mayBoot(): boolean {
  const trial = spawnSync('unshare', [...apart, 'mount', '-t', 'tmpfs', 'trial', '/run'])
  return trial.status === 0
}

/** Targets without what hangs on them: nothing of this machine's own is started a second time. */
const targets: Readonly<Record<string, string>> = {
  'multi-user.target': 'Requires=basic.target\nAfter=basic.target\nAllowIsolate=yes',
  'basic.target': 'Requires=sysinit.target\nAfter=sysinit.target',
  'sysinit.target': '',
  'network-online.target': '',
  'shutdown.target': 'DefaultDependencies=no',
}

const root = '/sys/fs/cgroup'
/** Version 1 where controllers have hierarchies of their own. */
const isUnified = (): boolean => existsSync(join(root, 'cgroup.controllers'))
/** Those that a group may be entered of without more ado. */
const known = ['systemd', 'memory', 'cpu', 'cpuacct', 'cpu,cpuacct', 'pids', 'devices']
const hierarchyNames = (): readonly string[] =>
  isUnified() ? ['.'] : known.filter((name) => existsSync(join(root, name)))
const hierarchies = (): readonly string[] => hierarchyNames().map((name) => join(root, name))

/** Enters a control group of its own, whose namespace then has that one as its root. */
const enter = `
group=$1; shift
for hierarchy in "$@"; do
  [ "$hierarchy" = -- ] && break
  shift
  mkdir -p "$hierarchy/$group"
  echo $$ > "$hierarchy/$group/cgroup.procs"
done
shift
exec "$@"
`

/** Inside: groups, /run and the places of units are its own. */
const begin = `
set -e
units=$1; empty=$2; lib=$3; systemd=$4; shift 4
mount --make-rprivate /
mount -t proc proc /proc
ip link set lo up
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup /sys/fs/cgroup
else
  mount -t tmpfs groups /sys/fs/cgroup
  for name in "$@"; do
    mkdir "/sys/fs/cgroup/$name"
    options=$name
    [ "$name" != systemd ] || options=none,name=systemd
    mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/$name"
  done
fi
mount -t tmpfs run /run
mkdir /run/lock
mount --bind "$units" /etc/systemd/system
mount --bind "$lib" /usr/lib/systemd/system
mount --bind "$empty" /usr/lib/systemd/system-generators
export container=holdfast-test
exec "$systemd" --system --unit=multi-user.target --log-target=null
`

function writeTargets(directory: string): void {
  for (const [name, lines] of Object.entries(targets))
    writeFileSync(join(directory, name), `[Unit]\nDescription=${name}\n${lines}\n`)
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return '' // gone
  }
}

/** The child of a process that has become systemd. */
function initOf(pid: number | undefined): number | undefined {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').map(Number)
  return children.find((child) => textOf(`/proc/${child}/comm`) === 'systemd')
}

function removeGroups(group: string): boolean {
  const removeTree = (directory: string): void => {
    for (const child of readdirSync(directory, { withFileTypes: true }))
      if (child.isDirectory()) removeTree(join(directory, child.name))
    rmdirSync(directory)
  }
  try {
    for (const hierarchy of hierarchies())
      if (existsSync(join(hierarchy, group))) removeTree(join(hierarchy, group))
    return true
  } catch {
    return false
  }
}

/** Makes a machine whose process 1 is this systemd; nothing runs in it yet. */
export function makeMachine(systemd: string): Machine {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-machine-'))
  const group = place.split('/').at(-1) ?? ''
  const [units, empty, lib] = ['units', 'empty', 'lib'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ]
  for (const directory of [units, empty, lib]) mkdirSync(directory)
  writeTargets(lib)
  let power: ChildProcess | null = null
  const run: Machine['run'] = (directory, command) => {
    const words = ['-t', String(initOf(power?.pid)), '--all', `--wd=${directory}`, ...command]
    const { status, stdout, stderr } = spawnSync('nsenter', words, { encoding: 'utf8', timeout: 120_000 })
    return { code: status, out: stdout, err: stderr }
  }
  const cutPower = async (): Promise<void> => {
    const child = power
    if (child === null) return
    // It takes process 1 with it, which takes all others with it.
    child.kill('SIGKILL')
    await until('it to be off', () => child.exitCode !== null || child.signalCode !== null)
    await until('its groups to be empty', () => removeGroups(group))
    power = null
  }
  return {
    units,
    run,
    cutPower,
    boot: async () => {
      const inside = [
        'unshare',
        ...apart,
        'sh',
        '-c',
        begin,
        'begin',
        units,
        empty,
        lib,
        systemd,
        ...hierarchyNames(),
      ]
      const child = spawn('sh', ['-c', enter, 'enter', group, ...hierarchies(), '--', ...inside], {
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      power = child
      await until('process 1', () => initOf(child.pid) !== undefined)
      await until('systemd', () => run('/', ['systemctl', 'is-system-running']).out.trim() === 'running')
    },
    remove: async () => {
      await cutPower()
      rmSync(place, { recursive: true, force: true })
    },
  }
}
