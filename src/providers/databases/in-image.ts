/** Debian keeps Postgres where no search path leads. */
const findPrograms = `for one in /usr/lib/postgresql/*/bin; do [ ! -x "$one/postgres" ] || PATH="$one:$PATH"; done
export PATH
`

/** The same command in an image, where the programs of servers are found by their names. */
export function inImage(command: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', `${findPrograms}exec "$@"`, 'holdfast-database', ...command]
}
