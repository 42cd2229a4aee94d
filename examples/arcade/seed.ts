import { scryptSync } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { seedConversations } from './seed/conversations.ts'
import { dice, pick } from './seed/dice.ts'

/** Everybody may sign in as this player. */
export const demo = { handle: 'demo', password: 'arcade-demo' }

const playerCount = 200
const scoreCount = 5000
const dayMs = 86_400_000

const firsts =
  'salty neon turbo sleepy brave tiny cosmic grumpy lucky silent rusty velvet pixel hyper mellow sneaky stormy crispy golden lunar'
const seconds =
  'otter narwhal puffin urchin kraken limpet walrus gecko comet badger mango anchor barnacle squid lobster falcon pickle rocket tuna wizard'

/** Fills a new database with two months of a small game's life. */
export function seed(database: DatabaseSync, now: number): void {
  const roll = dice(20_260_501)
  const insert = database.prepare('INSERT INTO accounts (handle, password, created_at) VALUES (?, ?, ?)')
  insert.run(demo.handle, hashOfDemo(), now - 60 * dayMs)
  for (const handle of handles(roll)) insert.run(handle, null, Math.round(now - roll() * 60 * dayMs))
  seedScores(database, roll, now)
  seedConversations(database, roll, now)
}

/** A fixed salt will do for a password that is printed in the README. */
function hashOfDemo(): string {
  const salt = Buffer.alloc(16, 'tidepool')
  return `${salt.toString('base64url')}.${scryptSync(demo.password, salt, 32).toString('base64url')}`
}

/** Handles as people choose them: SaltyOtter, neon_narwhal, tinykraken42, itsGrumpyGecko. */
function handles(roll: () => number): Set<string> {
  const [left, right] = [firsts.split(' '), seconds.split(' ')]
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
  const styles = [
    (a: string, b: string) => capital(a) + capital(b),
    (a: string, b: string) => `${a}_${b}`,
    (a: string, b: string) => `${a}${b}${Math.floor(roll() * 90) + 10}`,
    (a: string, b: string) => `its${capital(a)}${capital(b)}`,
  ]
  const chosen = new Map<string, string>()
  while (chosen.size < playerCount) {
    const handle = pick(roll, styles)(pick(roll, left), pick(roll, right))
    chosen.set(handle.toLowerCase(), handle)
  }
  return new Set(chosen.values())
}

/** Few play a lot and well, many a little; more in the evening, more towards today. */
function seedScores(database: DatabaseSync, roll: () => number, now: number): void {
  const insert = database.prepare('INSERT INTO scores (account_id, points, played_at) VALUES (?, ?, ?)')
  const midnight = now - (now % dayMs)
  for (let count = 0; count < scoreCount; count++) {
    const rank = Math.floor(roll() ** 2.2 * playerCount)
    const skill = 1.4 - rank / playerCount
    const luck = (roll() + roll() + roll()) / 3
    const daysAgo = Math.floor(roll() ** 1.4 * 60)
    const hour = roll() < 0.7 ? 17 + roll() * 6 : 8 + roll() * 10
    const playedAt = midnight - daysAgo * dayMs + hour * 3_600_000
    insert.run(
      rank + 2,
      Math.round(skill * luck * 90) * 10 + 20,
      Math.round(Math.min(playedAt, now - roll() * dayMs)),
    )
  }
}
