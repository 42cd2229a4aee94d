import { dice, pick } from '../seed/dice.ts'
import type { Client } from './client.ts'

const guesses = ['123456', 'password', 'qwerty', 'letmein', 'dragon', 'iloveyou', 'football', 'monkey']
/** One message may mention five. */
const victims = '@demo @swift_otter @calm_whale @RedRay @MintCrab'
const holes = ['wp-login.php', '.env', 'admin', 'phpmyadmin', 'backup.zip', '.git/config']

/** Somebody who wants everything at once; each nuisance at a fixed pace, so that the run stays bounded. */
export async function abuse(client: Client): Promise<void> {
  const roll = dice(666)
  await signIn(client)
  const spam = (): string => `FREE PEARLS at pearls.example, ${victims}, no ${Math.floor(roll() * 1e6)}`
  await Promise.all([
    repeat(client, 5, () => client.post('/login', { handle: 'demo', password: pick(roll, guesses) })),
    repeat(client, 4, () => client.post('/chat', { text: spam() })),
    repeat(client, 6, () => client.post('/scores', { points: 2000 - Math.floor(roll() * 20) })),
    repeat(client, 1, () => client.post('/exports', {})),
    repeat(client, 40, () => client.get('/assets/arcade.js')),
    // How the flood of mails goes, which nobody answers for.
    repeat(client, 0.5, () => client.get('/me')),
    shout(client, spam),
    thrash(client, roll),
  ])
}

/** Somebody who looks for what was left lying about. */
export async function scan(client: Client): Promise<void> {
  const roll = dice(667)
  await repeat(client, 10, () => client.get(`/${pick(roll, holes)}`))
}

/** One login of the five that an address has in a minute has to be his own. */
async function signIn(client: Client): Promise<void> {
  const credentials = { handle: 'totally_not_a_bot', password: 'definitely a human' }
  while (!client.signal.aborted) {
    if ((await client.post('/login', credentials)).status === 200) return
    if ((await client.post('/accounts', credentials)).status === 201) return
    await client.pause(5000)
  }
}

/** Says in the pool what is refused in the chat, and comes back when thrown out. */
async function shout(client: Client, spam: () => string): Promise<void> {
  while (!client.signal.aborted) {
    const fish = client.enterPool()
    while (!client.signal.aborted && fish.move(0.5, 0.5)) {
      void fish.say(spam())
      await client.pause(250)
    }
    await client.pause(2000)
  }
}

/** Moves a hundred times a second, and comes back when thrown out. */
async function thrash(client: Client, roll: () => number): Promise<void> {
  while (!client.signal.aborted) {
    const fish = client.enterPool()
    while (!client.signal.aborted && fish.move(roll(), roll())) await client.pause(10)
    await client.pause(2000)
  }
}

/** Acts `perSecond` times a second until the time is up, with at most that many (and 20) unanswered at a time. */
async function repeat(client: Client, perSecond: number, act: () => Promise<unknown>): Promise<void> {
  let open = 0
  while (!client.signal.aborted) {
    if (open < Math.min(Math.max(perSecond, 1), 20)) {
      open++
      void act().finally(() => open--)
    }
    await client.pause(1000 / perSecond)
  }
}
