import { peopleOperations } from '../../../contracts/index.ts'
import type { OperationBinding } from '../../../kernel/capability/index.ts'
import { closest, type OutputOf } from '../../../kernel/std/index.ts'
import type { People } from '../access/index.ts'
import { bindHouse } from './bind.ts'

type Listed = OutputOf<typeof peopleOperations.list>['people'][number]
type Answer = OutputOf<typeof peopleOperations.whoKnows>

const plain = (text: string): string => text.trim().toLowerCase()
/** A topic can be found by itself and by each of its words: `Postgres 17` by `postgres`. */
const handles = (topic: string): readonly string[] => [plain(topic), ...plain(topic).split(/[\s/,()]+/)]
const speaksOf = (topics: readonly string[], what: string): boolean =>
  topics.some((topic) => handles(topic).includes(what))

function list(people: People): readonly Listed[] {
  return Object.entries(people).map(([person, { role, name, knows, reach, hours }]) => ({
    person,
    role,
    name: name ?? null,
    deeply: [...(knows?.deeply ?? [])],
    broadly: [...(knows?.broadly ?? [])],
    reach: { ...reach },
    hours: hours ?? null,
  }))
}

function knowers(all: readonly Listed[], what: string): Answer['people'] {
  const deep = all.filter(({ deeply }) => speaksOf(deeply, what))
  const broad = all.filter((one) => !deep.includes(one) && speaksOf(one.broadly, what))
  return [
    ...deep.map((one) => ({ ...one, knows: 'deeply' as const })),
    ...broad.map((one) => ({ ...one, knows: 'broadly' as const })),
  ]
}

function sayNobody(what: string, topics: readonly string[]): string {
  const spelt = new Map(topics.toReversed().map((topic) => [plain(topic), topic]))
  const known = [...spelt].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, topic]) => topic)
  const nobody = `Nobody here is said to know ${what}.`
  return known.length === 0
    ? `${nobody} The environment file says of nobody what they know: people.<name>.knows.`
    : `${nobody} What is known: ${known.join(', ')}.`
}

function sayKnowers(topic: string, people: Answer['people']): string {
  const those = (how: Answer['people'][number]['knows']): readonly string[] =>
    people.filter(({ knows }) => knows === how).map(({ name, person }) => name ?? person)
  const phrases = (['deeply', 'broadly'] as const)
    .map((how) => ({ how, names: those(how) }))
    .filter(({ names }) => names.length > 0)
    .map(({ how, names }) => `${how}: ${names.join(', ')}`)
  return `Who knows ${topic} ${phrases.join('; ')}.`
}

/** Who knows something, deeply before broadly; a mistyped word is read as the nearest that somebody knows. Pure. */
export function whoKnows(people: People, what: string): Answer {
  const all = list(people)
  const topics = [...all.flatMap(({ deeply }) => deeply), ...all.flatMap(({ broadly }) => broadly)]
  const exact = knowers(all, plain(what))
  const meant = exact.length > 0 ? undefined : closest(plain(what), [...new Set(topics.flatMap(handles))])
  const found = meant === undefined ? exact : knowers(all, meant)
  const topic = meant ?? what
  return {
    says: found.length === 0 ? sayNobody(what, topics) : sayKnowers(topic, found),
    topic,
    people: found,
  }
}

/** Binds the operations on people; `people` is asked at every call. */
export function bindPeople(people: () => People): readonly OperationBinding[] {
  return [
    bindHouse(peopleOperations.list, () => Promise.resolve({ people: [...list(people())] })),
    bindHouse(peopleOperations.whoKnows, ({ what }) => Promise.resolve(whoKnows(people(), what))),
  ]
}
