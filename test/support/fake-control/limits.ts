import type { Operations } from '../../../src/contracts/index.ts'
import type { World } from './world.ts'

type Explanation = Operations['limits.explain']['output']
type Offenders = Operations['limits.offenders']['output']

const minuteMs = 60_000
const login = { limit: 'edge.route.POST /login', rule: '5/min per ip' }

function offenders(now: number): Offenders {
  const until = now - (now % minuteMs)
  const from = until - 60 * minuteMs
  const steps = Array.from({ length: 60 }, (_, index) => ({
    at: from + index * minuteMs,
    refused: index > 35 && index < 50 ? Math.round(40 + 30 * Math.sin(index)) : 0,
    admitted: index > 35 && index < 50 ? 5 : 0,
  }))
  const subjects = ['ip:203.0.113.7', 'user:42', 'ip:2001:db8:1:2::/64'].map((subject, index) => ({
    subject,
    refused: Math.round(612 / (index + 1)),
    wouldRefuse: 0,
    admitted: 65 - index,
    limits: [login.limit, 'app.chat.message'].slice(index % 2),
  }))
  return {
    says: '2 limits refused 3 subjects in the last 60 min; ip:203.0.113.7 most, 612 times.',
    from,
    until,
    subjects,
    limits: [
      { door: 'edge', limit: login.limit, refused: 816, wouldRefuse: 0, admitted: 120, subjects: 2 },
      { door: 'app', limit: 'app.chat.message', refused: 306, wouldRefuse: 0, admitted: 64, subjects: 1 },
    ],
    steps,
    stepMs: minuteMs,
  }
}

function explain(input: Operations['limits.explain']['input'], { clock }: World): Explanation {
  const { subject } = input
  const at = input.at ?? clock.now()
  const first = at - (at % minuteMs) - 4 * minuteMs
  const span = {
    from: at - 60 * minuteMs,
    until: at,
    reachesBackTo: at - 86_400_000,
    subjects: [subject],
    at,
  }
  if (subject !== 'ip:203.0.113.7') {
    const says = `Nothing says that a limit refused ${subject} in this hour.`
    return { says, ...span, spells: [], gaps: [], bans: [], overrides: [] }
  }
  const minutes = [12, 9, 16].map((refused, index) => ({
    at: first + index * minuteMs,
    refused,
    admitted: 5,
  }))
  const spell = {
    ...login,
    door: 'edge' as const,
    allows: [login.rule],
    subject,
    from: first,
    until: first + 3 * minuteMs,
    ended: true,
    refused: 37,
    wouldRefuse: 0,
    admitted: 15,
    routes: [{ route: 'POST /login', admitted: 15, refused: 37 }],
    minutes,
  }
  const ban = { subject, since: at - 1000, until: at + 3_600_000, because: 'guesses passwords' }
  return {
    says: `${subject} was refused 37 times by POST /login (5/min per ip) between 12:02 and 12:05.`,
    ...span,
    spells: [spell],
    gaps: [],
    bans: [{ ...ban, actor: 'person:ada', liftedAt: null, holds: true }],
    overrides: [],
  }
}

/** What operations of limits answer. Bans and overrides are kept by the world of facts: the last one wins. */
export const limitAnswers: Readonly<Record<string, (input: never, world: World) => unknown>> = {
  'limits.offenders': (_: never, { clock }) => offenders(clock.now()),
  'limits.explain': explain,
  'edge.near-misses': (_: never, { clock }) => ({
    says: '1 subject had at least 80 % of a limit in use in the last hour and was not refused.',
    since: clock.now() - 3_600_000,
    nearMisses: [
      { limit: 'edge.route./*', rule: '240/min per ip', subject: 'ip:198.51.100.4', seen: 9, share: 0.93 },
    ],
  }),
  'limits.bans': (_: never, { bans }) => ({ bans }),
  'limits.overrides': (_: never, { clock }) => ({
    overrides: [
      {
        limit: 'app.chat.message',
        subject: 'user:42',
        rule: '50/10s per user',
        until: clock.now() + 86_400_000,
        because: 'tournament',
        since: clock.now() - 60_000,
        actor: 'person:ada',
      },
    ],
  }),
  'limits.ban': (input: Operations['limits.ban']['input'], { bans, clock }) => {
    const until = clock.now() + 3_600_000
    const { subject, because } = input
    bans.push({ subject, because, until, since: clock.now(), actor: 'person:ada' })
    return { until }
  },
  'limits.unban': ({ subject }: Operations['limits.unban']['input'], { bans }) => {
    const index = bans.findIndex((ban) => ban.subject === subject)
    if (index >= 0) bans.splice(index, 1)
    return { unbanned: index >= 0 }
  },
  'limits.override': (_: never, { clock }) => ({ until: clock.now() + 3_600_000 }),
  'limits.lift-override': () => ({ lifted: true }),
}
