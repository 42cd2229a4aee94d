import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { abuse, scan } from './load/abuser.ts'
import { createClient } from './load/client.ts'
import { befriend } from './load/friend.ts'
import { createTally, type Row, type Tally } from './load/tally.ts'

const help = `Plays friendly players, and an abuser if you like, against the arcade.

  node load.ts [--url http://127.0.0.1:8080] [--minutes 5] [--players 12] [--abuser] [--json]

Friends read, chat and play at a human pace, each from an address of their own (127.0.1.x).
The abuser (127.0.0.2) guesses passwords, spams chat by HTTP and WebSocket and so causes mails, storms exports, scores
and assets, and thrashes about in the pool; a friend of his (127.0.0.3) looks for pages that are not there.

At the end, a table says who got what at which door; with --json, so does the last line.`

interface Options {
  readonly url: URL
  readonly minutes: number
  readonly players: number
  readonly abuser: boolean
  readonly json: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8080' },
      minutes: { type: 'string', default: '5' },
      players: { type: 'string', default: '12' },
      abuser: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  return {
    url: new URL(values.url),
    minutes: within('--minutes', values.minutes, [0.05, 120]),
    players: within('--players', values.players, [1, 200]),
    abuser: values.abuser,
    json: values.json,
  }
}

function within(name: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text)
  if (value >= least && value <= most) return value
  throw new Error(`${name} is between ${least} and ${most}`)
}

/** Linux answers on all of 127.0.0.0/8, so that everybody can have an address; elsewhere all share one. */
function addressFor(url: URL, address: string): string | undefined {
  const local = url.hostname === 'localhost' || url.hostname.startsWith('127.')
  return local && process.platform === 'linux' ? address : undefined
}

/** One line that is rewritten in a terminal, and said every ten seconds elsewhere. */
async function watch(tallies: readonly Tally[], signal: AbortSignal): Promise<void> {
  for (let second = 1; !signal.aborted; second++) {
    await sleep(1000, undefined, { signal }).catch(() => undefined)
    const line = `${second} s  ${tallies.map((tally) => tally.line()).join('  |  ')}`
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${line}`)
    else if (second % 10 === 0) console.log(line)
  }
  if (process.stdout.isTTY) process.stdout.write('\n')
}

/** The rows of a tally, each with whose it is before its door. */
function linesOf(tally: Tally): [string, Row][] {
  return Object.entries(tally.rows()).map(([door, row]) => [`${tally.who}: ${door}`, row])
}

async function main(): Promise<void> {
  const { url, minutes, players, abuser, json } = readOptions()
  const stopping = new AbortController()
  const { signal } = stopping
  setTimeout(() => stopping.abort(), minutes * 60_000).unref()
  process.once('SIGINT', () => stopping.abort())
  process.once('SIGTERM', () => stopping.abort())

  const friends = createTally('friends')
  const enemies = createTally('abuser')
  const work: Promise<void>[] = []
  for (let number = 1; number <= players; number++) {
    const address = addressFor(url, `127.0.1.${number}`)
    work.push(befriend(createClient({ url, address, tally: friends, signal }), number))
  }
  if (abuser) {
    const enemy = (address: string) =>
      createClient({ url, address: addressFor(url, address), tally: enemies, signal })
    work.push(abuse(enemy('127.0.0.2')), scan(enemy('127.0.0.3')))
  }
  const tallies = abuser ? [friends, enemies] : [friends]
  console.log(
    `${players} friends${abuser ? ' and an abuser' : ''} at ${url.origin} for ${minutes} min; Ctrl-C ends it`,
  )
  await Promise.all([...work, watch(tallies, signal)])
  if (json) console.log(JSON.stringify(Object.fromEntries(tallies.map((tally) => [tally.who, tally.rows()]))))
  else console.table(Object.fromEntries(tallies.flatMap(linesOf)))
  process.exit(0)
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
