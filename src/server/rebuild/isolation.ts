import { spawn } from 'node:child_process'

/** What is to be kept apart, all absolute paths. */
export interface Walls {
  /** Directory of the environment file: services see it, and what they write there is gone with them. */
  readonly directory: string
  /** Data directory of the first environment: hidden. */
  readonly dataDirectory: string
  /** Directory of the second environment, below `dataDirectory`: the one place that is shared with the outside. */
  readonly place: string
  /** False: the network is that of the machine, for what it runs is reached over that. */
  readonly network: boolean
}

/** How a program is started behind walls; or why this machine does not permit that. */
export type Isolation =
  { readonly wraps: (command: readonly string[]) => readonly string[] } | { readonly because: string }

/** At most so much may be written into the directory of the environment file; it is memory. */
const scratch = '256m'

/**
 * Runs inside the new namespaces, before the program: loopback comes up, writes to the environment's directory go to
 * memory, the first environment's data disappear, and the place of the second one is seen again where it was. It stays as
 * the first process of its namespace: it reaps what is orphaned, and when it ends the kernel ends all others.
 */
const prelude = `set -e
[ "$HOLDFAST_NETWORK" = false ] || ip link set lo up
cd "$HOLDFAST_PLACE"
mkdir -p scratch
mount -t tmpfs -o size=${scratch},mode=0755 tmpfs "$HOLDFAST_PLACE/scratch"
mkdir "$HOLDFAST_PLACE/scratch/upper" "$HOLDFAST_PLACE/scratch/work"
chmod --reference="$HOLDFAST_DIRECTORY" "$HOLDFAST_PLACE/scratch/upper" 2>/dev/null || true
chown --reference="$HOLDFAST_DIRECTORY" "$HOLDFAST_PLACE/scratch/upper" 2>/dev/null || true
mount -t overlay -o "$HOLDFAST_LAYERS" overlay "$HOLDFAST_DIRECTORY"
mount -t tmpfs -o size=1m,mode=0755 tmpfs "$HOLDFAST_HIDDEN"
mkdir -p "$HOLDFAST_PLACE"
mount --no-canonicalize --bind . "$HOLDFAST_PLACE"
cd "$HOLDFAST_DIRECTORY"
unset HOLDFAST_PLACE HOLDFAST_NETWORK HOLDFAST_LAYERS HOLDFAST_DIRECTORY HOLDFAST_HIDDEN
setpriv --ambient-caps=-all --inh-caps=-all "$@"
exit 0
`

const namespaces = ['--mount', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc']
/** Without root: a user namespace in which one stays who one is and may set up the others. */
const ofOwnUser = ['--user', '--map-current-user', '--keep-caps']

/** In the options of an overlay, commas and colons part things (mount(8)). */
const escaped = (path: string): string => path.replaceAll(/[\\,:]/g, (char) => `\\${char}`)

/** The command that runs another one behind walls, and stays until it has ended; pure. `user`: as `process.getuid()` says. */
export function behindWalls(walls: Walls, user: number, command: readonly string[]): readonly string[] {
  const { directory, dataDirectory, place, network } = walls
  const layers = [
    `lowerdir=${escaped(directory)}`,
    `upperdir=${escaped(place)}/scratch/upper`,
    `workdir=${escaped(place)}/scratch/work`,
  ]
  const variables = [
    `HOLDFAST_PLACE=${place}`,
    `HOLDFAST_NETWORK=${network}`,
    `HOLDFAST_LAYERS=${layers.join(',')}`,
    `HOLDFAST_DIRECTORY=${directory}`,
    `HOLDFAST_HIDDEN=${dataDirectory}`,
  ]
  const flags = [...(user === 0 ? [] : ofOwnUser), ...(network ? ['--net'] : []), ...namespaces]
  return ['env', ...variables, 'unshare', ...flags, 'sh', '-c', prelude, 'sandbox', ...command]
}

const trialTimeoutMs = 5000
const mostWords = 500

/** Runs a command to its end: null when that was good, else its last words. */
function troubleWith(command: readonly string[]): Promise<string | null> {
  const [program = '', ...rest] = command
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], timeout: trialTimeoutMs })
    let words = ''
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(-mostWords)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? null : words.trim() || `it ended with ${code}`))
  })
}

/**
 * Finds out, by trying, whether this machine lets us run something in namespaces of its own (namespaces(7)): network,
 * mounts, processes, IPC. The directories have to exist.
 */
export async function findIsolation(walls: Walls): Promise<Isolation> {
  if (process.platform !== 'linux') return { because: 'only Linux has namespaces' }
  const user = process.getuid?.() ?? -1
  const because = await troubleWith(behindWalls(walls, user, ['true']))
  return because === null
    ? { wraps: (command) => behindWalls(walls, user, command) }
    : { because: because.split('\n').at(-1) ?? because }
}
