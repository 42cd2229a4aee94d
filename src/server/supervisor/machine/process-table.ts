import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** One process of the machine. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** Process group id. */
  readonly group: number
  /** Session id; 0 where the system does not tell. */
  readonly session: number
  /**
   * Dead, but its parent has not asked for its exit yet. One whose first thread is dead and others are not is none: on a
   * busy machine these hold its sockets for a while.
   */
  readonly zombie: boolean
  /** A signal has stopped it (SIGSTOP), until another lets it go on. */
  readonly frozen: boolean
  /** When it was started, in the machine's own notation: a pid is reused, a pid with a birth is not. */
  readonly birth: string
  /** The same as a time, milliseconds since the epoch; as exact as the machine's notion of when it was booted. */
  readonly startedAt: number
  /** Processor time used so far, milliseconds. */
  readonly cpuMs: number
  readonly residentBytes: number
}

/** The machine's processes, as far as we may see them. */
export interface ProcessTable {
  read(pid: number): ProcessEntry | undefined
  list(): readonly ProcessEntry[]
  /** Value of a variable in the environment a process was started with; undefined when unset or not ours to read. */
  variable(pid: number, name: string): string | undefined
}

/** The table of this machine: `/proc` on Linux, `ps` elsewhere (no sessions, no environment). */
export function machineProcesses(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? linuxProcesses() : psProcesses()
}

/** What is the same for all processes of a machine. */
export interface MachineFacts {
  /** Makes a start time unique over reboots. */
  readonly bootId: string
  /** Milliseconds since the epoch. */
  readonly bootedAt: number
  readonly pageBytes: number
}

/** Clock ticks per second in /proc; the kernel's user-visible USER_HZ is 100 on every architecture Node runs on. */
const TICK_MS = 10

/**
 * Parses `/proc/<pid>/stat` (proc(5)). The program's name may hold spaces and parentheses, so fields are counted
 * from the last one.
 */
export function parseStat(text: string, machine: MachineFacts): ProcessEntry | undefined {
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  const pid = Number.parseInt(text, 10)
  if (close < 0 || Number.isNaN(pid) || fields.length < 22) return undefined
  const field = (number: number): number => Number(fields[number - 3])
  return {
    pid,
    parent: field(4),
    group: field(5),
    session: field(6),
    zombie: (fields[0] === 'Z' || fields[0] === 'X') && field(20) <= 1,
    frozen: fields[0] === 'T',
    birth: `${machine.bootId}:${fields[19]}`,
    startedAt: machine.bootedAt + field(22) * TICK_MS,
    cpuMs: (field(14) + field(15)) * TICK_MS,
    residentBytes: field(24) * machine.pageBytes,
  }
}

function linuxProcesses(): ProcessTable {
  const machine: MachineFacts = {
    bootId: readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    bootedAt: Number(/^btime (\d+)$/m.exec(readText('/proc/stat') ?? '')?.[1] ?? 0) * 1000,
    pageBytes: measurePageBytes(),
  }
  const read = (pid: number): ProcessEntry | undefined => {
    const text = readText(`/proc/${pid}/stat`)
    return text === undefined ? undefined : parseStat(text, machine)
  }
  return {
    read,
    list: () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((name) => read(Number(name)))
        .filter((entry) => entry !== undefined),
    variable: (pid, name) => {
      const entries = readText(`/proc/${pid}/environ`)?.split('\0')
      return entries?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1)
    },
  }
}

/** Node does not tell the page size (4 KiB on x86, up to 64 KiB on ARM); our own two ways of counting memory do. */
function measurePageBytes(): number {
  const pages = Number(readText('/proc/self/statm')?.split(' ')[0])
  const kib = Number(/^VmSize:\s+(\d+) kB/m.exec(readText('/proc/self/status') ?? '')?.[1])
  const measured = (kib * 1024) / pages
  return Number.isFinite(measured) && measured > 0 ? 2 ** Math.round(Math.log2(measured)) : 4096
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function psProcesses(): ProcessTable {
  const list = (): readonly ProcessEntry[] => {
    const columns = ['pid', 'ppid', 'pgid', 'stat', 'rss', 'time', 'lstart'].map((name) => `${name}=`)
    const out = spawnSync('ps', ['-axo', columns.join(',')], { encoding: 'utf8', timeout: 5000 }).stdout
    return (out ?? '')
      .split('\n')
      .map(parsePsLine)
      .filter((entry) => entry !== undefined)
  }
  return {
    read: (pid) => list().find((entry) => entry.pid === pid),
    list,
    variable: () => undefined,
  }
}

/** Parses one line of `ps -o pid=,ppid=,pgid=,stat=,rss=,time=,lstart=`; undefined when it is not one. */
export function parsePsLine(line: string): ProcessEntry | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(?:(\d+):)?(\d+):([\d.]+)\s+(.+)$/.exec(line)
  if (match === null) return undefined
  const [, pid, parent, group, stat = '', rss, hours, minutes, seconds, birth] = match
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    session: 0,
    zombie: stat.startsWith('Z'),
    frozen: stat.startsWith('T'),
    birth: birth?.trim() ?? '',
    startedAt: Date.parse(birth ?? '') || 0,
    cpuMs: (Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000,
    residentBytes: Number(rss) * 1024,
  }
}
