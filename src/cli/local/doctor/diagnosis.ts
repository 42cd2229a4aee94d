/** One thing that was looked at. */
export interface Diagnosis {
  readonly about: string
  /** `fail`: Holdfast would not run, or not safely; `warn`: something is missing that one might want. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly says: string
  /** The command that mends it. */
  readonly mend?: string | undefined
}

const ok = (about: string, says: string): Diagnosis => ({ about, state: 'ok', says })

/** Whether the running Node is new enough. `version` as `24.21.0`. */
export function diagnoseNode(version: string): Diagnosis {
  const major = Number(version.split('.')[0])
  if (major >= 24) return ok('node', `Node ${version}`)
  return { about: 'node', state: 'fail', says: `Node ${version} is older than 24`, mend: 'npm ci' }
}

/** Whether this system is one that Holdfast knows; `platform` as Node says. */
export function diagnoseSystem(platform: NodeJS.Platform): Diagnosis {
  const systems: Partial<Record<NodeJS.Platform, Diagnosis>> = {
    linux: ok('system', 'Linux'),
    darwin: {
      about: 'system',
      state: 'warn',
      says: 'macOS: good for trying out; one edge thread, and no limits of CPU and memory',
      mend: 'run production on Linux',
    },
  }
  const other = {
    about: 'system',
    state: 'fail' as const,
    says: `${platform} is not supported`,
    mend: 'on Windows, run it inside WSL',
  }
  return systems[platform] ?? other
}

/** What one runs as: a process of the house or a service. */
export interface RunsAs {
  readonly name: string
  readonly uid: number
}

/**
 * Whether services could read what is not theirs. `why`: why root cannot give them users of their own here, in words; null
 * when it can. `running`: who runs at the moment, and `notes` what the supervisor says about it.
 */
export function diagnoseUsers(
  user: number,
  why: string | null,
  { running, notes }: { readonly running: readonly RunsAs[]; readonly notes: readonly string[] },
): Diagnosis {
  const about = 'users'
  const who =
    running.length === 0 ? '' : `: ${running.map(({ name, uid }) => `${name} as ${uid}`).join(', ')}`
  if (user !== 0)
    return {
      about,
      state: 'warn',
      says: `services run as the same user as Holdfast and could read its data directory and one another's${who}`,
      mend: 'sudo holdfast install: started as root, each has a user of its own',
    }
  if (why !== null)
    return {
      about,
      state: 'warn',
      says: `all run as root, services could read everything: ${why}`,
      mend: mendOf(why),
    }
  const asRoot = notes.filter((note) => note.includes('as root: '))
  if (asRoot.length > 0)
    return {
      about,
      state: 'warn',
      says: `${asRoot.join('; ')}; it could read everything`,
      mend: 'move it to a directory that others may enter and read, as below /srv, or give that user the right (setfacl)',
    }
  const chosen = running.filter(({ uid }) => uid === 0).map(({ name }) => name)
  if (chosen.length > 0)
    return {
      about,
      state: 'warn',
      says: `${chosen.join(', ')} can read everything${who}`,
      mend: 'take "user: \'root\'" out of the environment file',
    }
  return ok(
    about,
    `started as root, each service has a user of its own and reads nothing of the others${who}`,
  )
}

const mendOf = (why: string): string =>
  why.includes('setpriv')
    ? 'apt-get install util-linux'
    : 'give the container what root is without, as docker run --cap-add SYS_PTRACE'

/** Whether what runs understands this program. `apart`: which processes do not, a sentence each. */
export function diagnoseVersions(apart: readonly string[]): Diagnosis {
  const about = 'versions'
  if (apart.length === 0)
    return ok(about, 'control, edge and supervisor, as far as they run, understand one another')
  const mend = '"holdfast down" of the installation that runs, then "holdfast up" of the other'
  return { about, state: 'fail', says: apart.join('; '), mend }
}

/** Whether anybody starts the environment when the machine does. `unit` is the name of its unit, if it has one. */
export function diagnoseSystemd(booted: boolean, unit: string | undefined): Diagnosis {
  const about = 'systemd'
  if (booted && unit !== undefined) return ok(about, `${unit} starts the environment with the machine`)
  if (booted)
    return ok(about, 'systemd runs; "holdfast install" lets it start the environment with the machine')
  return {
    about,
    state: 'warn',
    says: 'systemd does not run here: nothing starts the environment after the machine was started anew',
    mend: 'let what starts this machine call "holdfast up --attach"',
  }
}

/** How much a flush to the disk of the data directory takes, from several, milliseconds. */
export function diagnoseFlush(flushMs: readonly number[], directory: string): Diagnosis {
  const sorted = [...flushMs].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const says = `a flush of the disk below ${directory} takes ${median.toFixed(1)} ms`
  if (median <= 25) return ok('disk speed', says)
  return {
    about: 'disk speed',
    state: 'warn',
    says: `${says}; every fact waits for one`,
    mend: 'holdfast up --data <a directory on a faster disk>',
  }
}

/** Whether there is room. Sizes in bytes. */
export function diagnoseSpace(freeBytes: number, directory: string): Diagnosis {
  const gib = freeBytes / 2 ** 30
  const says = `${gib.toFixed(1)} GiB are free below ${directory}`
  if (gib >= 2) return ok('disk space', says)
  return {
    about: 'disk space',
    state: freeBytes < 64 * 2 ** 20 ? 'fail' : 'warn',
    says,
    mend: `du -xh ${directory} | sort -h | tail`,
  }
}

/** How many files may be open, from the text of /proc/self/limits; each connection takes one or two. */
export function diagnoseFiles(limitsText: string): Diagnosis {
  const match = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(limitsText)
  const hard = match?.[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match?.[2] ?? Number.NaN)
  if (Number.isNaN(hard)) return { about: 'open files', state: 'warn', says: 'their limit cannot be read' }
  const says = `${hard === Number.POSITIVE_INFINITY ? 'any number of' : hard} files may be open`
  if (hard >= 65_536) return ok('open files', says)
  return {
    about: 'open files',
    state: 'warn',
    says: `${says}; each connection takes one or two`,
    mend: 'ulimit -Hn 1048576 (as root), or LimitNOFILE=1048576 in the systemd unit',
  }
}

/** Whether the clock is kept by the network; `synchronised` null when nobody on this machine can tell. */
export function diagnoseClock(synchronised: boolean | null): Diagnosis {
  if (synchronised === true) return ok('clock', 'the clock is kept by the network')
  const says =
    synchronised === null
      ? 'nobody here can tell whether the clock is right'
      : 'the clock is not kept by the network'
  return { about: 'clock', state: 'warn', says, mend: 'apt-get install systemd-timesyncd, or chrony' }
}
