import { z } from 'zod'
import { declareOperation } from '../declare.ts'
import { nothing, role } from '../shapes.ts'

const topic = z.string().trim().min(1).max(60)
const topics = z.array(topic).max(100).default([])

/** One person of the environment file: what they may do, what they know, and where to reach them. */
export const person = z.strictObject({
  role: role.exclude(['use']).describe('what this person may do: view, operate or administer'),
  name: z.string().trim().min(1).max(100).optional().describe('as colleagues say it'),
  knows: z
    .strictObject({
      deeply: topics.describe('what they can mend at night, as `Postgres`'),
      broadly: topics.describe('what they can find their way about in'),
    })
    .prefault({})
    .describe('in short free words; `holdfast who-knows` searches them'),
  reach: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'lower-case letters, digits and dashes'),
      z.string().min(1).max(200),
    )
    .default({})
    .describe('where to reach them: `email`, `phone`, or a name in a chat'),
  hours: z.string().min(1).max(100).optional().describe('when they are there, as `Mo-Fr 9-17 Europe/Vienna`'),
})

const listed = z.strictObject({
  person: z.string().describe('short name in the environment file'),
  role,
  name: z.string().nullable(),
  deeply: z.array(z.string()).describe('what they know deeply'),
  broadly: z.array(z.string()).describe('what they know broadly'),
  reach: z.record(z.string(), z.string()).describe('where to reach them'),
  hours: z.string().nullable(),
})

/** Operations on the people of the environment file. */
export const peopleOperations = {
  list: declareOperation({
    name: 'people.list',
    summary: 'Show the people of the environment: what they may do and know, and where to reach them',
    input: nothing,
    output: z.strictObject({ people: z.array(listed) }),
    permission: 'view',
    command: { words: 'people', positional: [] },
  }),
  whoKnows: declareOperation({
    name: 'people.who-knows',
    summary: 'Say who knows something, deeply before broadly, and where to reach them',
    input: z.strictObject({ what: topic.describe('as `postgres`; capitals do not matter') }),
    output: z.strictObject({
      says: z.string().describe('the answer in a sentence'),
      topic: z.string().describe('what was looked for: `what`, or what it probably meant'),
      people: z.array(listed.extend({ knows: z.enum(['deeply', 'broadly']) })),
    }),
    permission: 'view',
    command: { words: 'who-knows', positional: ['what'] },
  }),
} as const
