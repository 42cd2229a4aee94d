import { inImage } from './in-image.ts'

/** Who starts a server, where, and how. */
export interface StartScript {
  /** Account, of this machine or of its image, that it runs as when we are root: servers refuse to be root. */
  readonly account: string
  /** Absolute directory that becomes its own. */
  readonly place: string
  /** Lines of sh that end in `exec`; `$here` is the directory, arguments count from `$1`. */
  readonly script: string
  readonly args: readonly string[]
  /** It runs in a container. */
  readonly isContained: boolean
  /** It insists on the true path of its directory; where its account cannot reach that, it stays root. */
  readonly insistsOnPath?: boolean
}

/**
 * The account of a server need not be able to pass through the directories above its own (the home of root, say): as
 * root we open it first, and the server reaches it through that descriptor. One that insists on its path gets the group
 * that may pass through the data directory, three above.
 */
const asAccount = `
account=$1; place=$2; insists=$3; script=$4; shift 4
mkdir -p "$place"
if [ "$(id -u)" = 0 ]; then
  id -u "$account" >/dev/null 2>&1 || { echo "there is no account $account on this machine" >&2; exit 78; }
  [ "$(stat -c %U "$place")" = "$account" ] || chown -R "$account:" "$place"
  here=$place
  groups=--clear-groups
  if [ "$insists" = false ]; then exec 9<"$place"; here=/proc/self/fd/9
  else groups="--groups=$(stat -c %g "$place/../../..")"; fi
  cd /
  if ! setpriv --reuid "$account" --regid "$account" "$groups" -- test -w "$here"; then
    echo "it runs as root: $account cannot reach $place" >&2
    chown root: "$place"
    exec /bin/sh -c "$script" root "$here" "$@"
  fi
  exec setpriv --reuid "$account" --regid "$account" "$groups" --no-new-privs -- /bin/sh -c "$script" "$account" "$here" "$@"
fi
exec /bin/sh -c "$script" "$account" "$place" "$@"
`

/** In a container its place is a volume that is its own. Images of servers have one of these to become an account. */
const asAccountOfImage = `
account=$1; place=$2; script=$3; shift 3
mkdir -p "$place"
set -- /bin/sh -c "$script" "$account" "$place" "$@"
[ "$(id -u)" = 0 ] || exec "$@"
id -u "$account" >/dev/null 2>&1 || { echo "there is no account $account in this image" >&2; exit 78; }
[ "$(stat -c %U "$place")" = "$account" ] || chown -R "$account:" "$place"
cd /
if setpriv --reuid "$account" --regid "$account" --clear-groups -- true 2>/dev/null; then
  exec setpriv --reuid "$account" --regid "$account" --clear-groups --no-new-privs -- "$@"
fi
for one in gosu su-exec; do
  ! command -v "$one" >/dev/null 2>&1 || exec "$one" "$account" "$@"
done
echo "there is no setpriv, gosu or su-exec in this image, so that it cannot become $account" >&2
exit 78
`

const strict = 'set -eu\numask 077\n'

/**
 * A command that makes a directory, gives it to an account if we are root, and runs a script there as that account; on this
 * machine, or in a container.
 */
export function startCommand(start: StartScript): readonly string[] {
  const { account, place, script, args, isContained, insistsOnPath = false } = start
  const inner = `${strict}here=$1; shift\n${script}`
  const outer = (text: string): readonly string[] => [
    '/bin/sh',
    '-c',
    `${strict}${text}`,
    'holdfast-database',
  ]
  if (isContained) return inImage([...outer(asAccountOfImage), account, place, inner, ...args])
  return [...outer(asAccount), account, place, String(insistsOnPath), inner, ...args]
}
