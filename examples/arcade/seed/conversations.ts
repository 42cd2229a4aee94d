import type { DatabaseSync } from 'node:sqlite'
import { pick } from './dice.ts'

/** What is said in the arcade: a line each, the speaker first (a, b or c); {a} and {b} stand for their names. */
const conversations = [
  'a: anyone on?|b: barely awake but yes|a: one round then sleep|b: that is what you said yesterday',
  'a: how do you get past 900??|b: stay low, the urchins spawn from the top|b: and never go for the far pearl|a: @{b} legend, thanks',
  'a: new personal best!!|b: screenshot or it did not happen|a: look at the board :D|c: gg {a}',
  'a: is it me or is the third wave faster since the update|b: it is you|c: it is not you',
  'a: lag?|b: fine here|a: ok my router then',
  'a: @{b} rematch tonight?|b: after 8|a: bring snacks',
  'a: good morning tidepool|b: it is 6pm|a: good morning tidepool',
  'a: my cat just set a high score|b: your cat plays better than you|a: sadly true',
  'a: tip: hold still in the first five seconds, the pearls come to you|b: wait that works?|b: THAT WORKS',
  'a: who is number one right now|b: still @{c}, three weeks in a row|c: somebody stop me',
  'a: first time here, what do the golden ones do|b: double points for a bit|c: and panic',
  'a: gg all|b: gg|c: gg',
  'a: i was SO close|b: how close|a: ten points|b: ouch',
  'a: can we get a night mode|b: it is dark under water already',
  'a: teaching my little brother, be nice to him|b: what is his handle|a: not telling, you would hunt him',
  'a: does practice mode count for the board?|b: nope|a: then i retire',
  'a: weekend tournament, who is in|b: me|c: me if it is before 10|a: saturday 7pm then',
  'a: the sound of that urchin haunts me|b: play muted|a: coward|b: top ten coward',
  'a: 30 seconds go by so fast|b: imagine it with lunch break pressure',
  'a: is @{b} a bot|b: beep|b: no',
  'a: thumb hurts|b: switch to arrow keys|a: pinky hurts|b: touch grass',
  'a: finally top 20|b: welcome|c: enjoy it for the next ten minutes',
  'a: my export took ages, is that normal|b: it goes through all your games, yes|a: i have a problem then',
  'a: love the new background|b: right? very calm until you die',
  'a: brb dinner|b: what is it|a: fish. feels wrong',
  'a: who wants to race to 500|b: now?|a: now|b: done|a: how',
  'a: anybody else get mail for every mention?|b: yes @{a}|a: i walked into that',
  'a: the trick is to breathe|b: under water|a: metaphorically',
]

const messageCount = 400
const dayMs = 86_400_000

/** Two months of chat, thinning out into the past. */
export function seedConversations(database: DatabaseSync, roll: () => number, now: number): void {
  const handles = database.prepare('SELECT id, handle FROM accounts WHERE password IS NULL').all()
  const lines: { id: number; text: string; at: number }[] = []
  while (lines.length < messageCount) {
    const people = { a: pick(roll, handles), b: pick(roll, handles), c: pick(roll, handles) }
    let at = now - 600_000 - roll() ** 2 * 60 * dayMs
    for (const line of pick(roll, conversations).split('|')) {
      const speaker = line.charAt(0) as 'a' | 'b' | 'c'
      const text = line
        .slice(3)
        .replace(/\{([abc])\}/g, (_, who: 'a' | 'b' | 'c') => String(people[who]['handle']))
      at += 4000 + roll() * 40_000
      lines.push({ id: Number(people[speaker]['id']), text, at: Math.round(Math.min(at, now)) })
    }
  }
  const insert = database.prepare('INSERT INTO messages (account_id, text, said_at) VALUES (?, ?, ?)')
  for (const { id, text, at } of lines.sort((x, y) => x.at - y.at)) insert.run(id, text, at)
}
