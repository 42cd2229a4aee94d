import { dice, pick } from '../seed/dice.ts'
import type { Client } from './client.ts'

const guesses = ['123456', 'password', 'qwerty', 'letmein', 'dragon', 'iloveyou', 'football', 'monkey']

/** Somebody who wants everything at once; each nuisance at a fixed pace, so that the run stays bounded. */
export async function abuse(client: Client): Promise<void> {
  const roll = dice(666)
  const credentials = { handle: 'totally_not_a_bot', password: 'definitely a human' }
  const login = await client.post('/login', credentials)
  if (login.status !== 200) await client.post('/accounts', credentials)
  await Promise.all([
    repeat(client, 5, () => client.post('/login', { handle: 'demo', password: pick(roll, guesses) })),
    repeat(client, 4, () =>
      client.post('/chat', { text: `FREE PEARLS at pearls.example, @demo, no ${Math.floor(roll() * 1e6)}` }),
    ),
    repeat(client, 6, () => client.post('/scores', { points: 2000 - Math.floor(roll() * 20) })),
    repeat(client, 1, () => client.post('/exports', {})),
    repeat(client, 40, () => client.get('/assets/arcade.js')),
  ])
}

/** Acts `perSecond` times a second until the time is up, with at most that many (and 20) unanswered at a time. */
async function repeat(client: Client, perSecond: number, act: () => Promise<unknown>): Promise<void> {
  let open = 0
  while (!client.signal.aborted) {
    if (open < Math.min(perSecond, 20)) {
      open++
      void act().finally(() => open--)
    }
    await client.pause(1000 / perSecond)
  }
}
