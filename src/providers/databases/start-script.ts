/** Who starts a server, where, and how. */
export interface StartScript {
  /** Account of this machine that it runs as when we are root: servers refuse to be root. */
  readonly account: string
  /** Absolute directory that becomes its own. */
  readonly place: string
  /** Lines of sh that end in `exec`; `$here` is the directory, arguments count from `$1`. */
  readonly script: string
  readonly args: readonly string[]
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

const strict = 'set -eu\numask 077\n'

/** A command that makes a directory, gives it to an account if we are root, and runs a script there as that account. */
export function startCommand(start: StartScript): readonly string[] {
  const { account, place, script, args, insistsOnPath = false } = start
  const inner = `${strict}here=$1; shift\n${script}`
  const outer = ['/bin/sh', '-c', `${strict}${asAccount}`, 'holdfast-database']
  return [...outer, account, place, String(insistsOnPath), inner, ...args]
}
