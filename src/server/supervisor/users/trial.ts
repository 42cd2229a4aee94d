import { execFile } from 'node:child_process'
import { asUser, type ProcessUser } from '../machine/as-user.ts'

/** What a user has to be able to do before it may run something. */
export interface Needs {
  /** Absolute; is entered. */
  readonly directory: string
  /** Program as in a command: a path, or a name to be found in `searchPath`. */
  readonly program: string
  readonly searchPath: string | undefined
  /** Files and directories, absolute or relative to the directory, that it has to be able to read. */
  readonly reads: readonly string[]
}

const timeoutMs = 5000

/** `$1` directory, `$2` program, the rest files. Says what is in the way, and nothing when nothing is. */
const script = `
cd "$1" 2>/dev/null && [ -r . ] || { echo "$1 is closed to it"; exit; }
case "$2" in
  */*) [ -x "$2" ] ;;
  *) command -v "$2" >/dev/null ;;
esac || { echo "it may not run $2"; exit; }
shift 2
for file; do
  [ -r "$file" ] || { echo "it may not read $file"; exit; }
done
`

/** Why a user could not run something, found by trying as that user; null when it could. Linux. */
export function whyNot(user: ProcessUser, needs: Needs): Promise<string | null> {
  const { directory, program, searchPath, reads } = needs
  const [file = '', ...rest] = asUser(user, [
    '/bin/sh',
    '-c',
    script,
    'holdfast-trial',
    directory,
    program,
    ...reads,
  ])
  const env = { PATH: searchPath ?? '/usr/local/bin:/usr/bin:/bin' }
  return new Promise((resolve) => {
    execFile(file, rest, { timeout: timeoutMs, cwd: '/', env }, (error, stdout, stderr) => {
      const said = stdout.trim() === '' ? null : stdout.trim()
      resolve(
        error === null
          ? said
          : `no process can be started as another user (${stderr.trim() || error.message})`,
      )
    })
  })
}
