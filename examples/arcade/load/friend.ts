import { dice, pick } from '../seed/dice.ts'
import type { Client } from './client.ts'
import type { Fish } from './pool.ts'

const handles =
  'swift_otter calm_whale RedRay MintCrab tidal_tom kelp_kid BluePuffin gentle_jelly foxfish SandDollar mr_mussel deep_dee'

const remarks = [
  'hello tidepool',
  'gg',
  'anyone for a quick round?',
  'that last urchin was not fair',
  'new personal best, i think',
  'lunch break game, go go go',
  'how do you all get past 800',
  'one more, then back to work',
  'the golden pearls are worth it',
  'ok who is number one today',
]

/** A friendly player: opens the page, signs in, then reads, chats and plays until the time is up. */
export async function befriend(client: Client, number: number): Promise<void> {
  const roll = dice(number * 7919)
  const names = handles.split(' ')
  const handle = `${names[(number - 1) % names.length]}${number > names.length ? number : ''}`
  await client.pause(roll() * 4000)
  await openPage(client)
  const signedIn = await enter(client, handle)
  client.listen()
  const fish = client.enterPool()
  let hasAsked = false
  /** Now and then somebody wants all of their data, but not twice: of exports a day has few. */
  const ask = async (): Promise<void> => {
    if (hasAsked || roll() < 0.7) return read(client)
    hasAsked = true
    await exportAll(client)
  }
  void swim(client, fish, roll)
  while (!client.signal.aborted) {
    await client.pause(1500 + roll() * 5000)
    if (client.signal.aborted) return
    const pastimes = signedIn ? [play, play, play, read, read, chat, openPage, ask] : [read, openPage]
    await pick(roll, pastimes)(client, roll, fish)
  }
}

async function openPage(client: Client): Promise<void> {
  await client.get('/')
  const assets = ['arcade.css', 'arcade.js', 'game.js', 'draw.js', 'logo.svg']
  await Promise.all(assets.map((name) => client.get(`/assets/${name}`)))
  await read(client)
}

async function enter(client: Client, handle: string): Promise<boolean> {
  const credentials = { handle, password: `password of ${handle}` }
  const login = await client.post('/login', credentials)
  if (login.status === 200) return true
  return (await client.post('/accounts', credentials)).status === 201
}

async function read(client: Client): Promise<void> {
  await Promise.all([client.get('/scores?days=7'), client.get('/chat?limit=30'), client.get('/me')])
}

/** A round takes a while, and is not always as good as the last. */
async function play(client: Client, roll: () => number): Promise<void> {
  await client.pause(3000 + roll() * 5000)
  await client.post('/scores', { points: Math.round((20 + 80 * roll() * roll()) * 1.1) * 10 })
  await client.get('/scores?days=7')
}

/** Says something, by HTTP or from within the pool. */
async function chat(client: Client, roll: () => number, fish: Fish): Promise<void> {
  const mention = roll() < 0.3 ? `@${pick(roll, handles.split(' '))} ` : ''
  const text = `${mention}${pick(roll, remarks)}`
  if (roll() < 0.5 && (await fish.say(text))) return
  await client.post('/chat', { text })
}

/** Moves about once a second. */
async function swim(client: Client, fish: Fish, roll: () => number): Promise<void> {
  while (!client.signal.aborted && fish.move(roll(), roll())) await client.pause(1000)
}

async function exportAll(client: Client): Promise<void> {
  const { status, text } = await client.post('/exports', {})
  if (status !== 202) return
  const { id } = JSON.parse(text) as { id: string }
  await client.get(`/exports/${id}?wait=10`)
}
