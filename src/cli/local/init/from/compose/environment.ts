import { relative, resolve } from 'node:path'
import type { Drafted, Note } from '../draft.ts'
import type { ComposePart } from './config.ts'
import type { Dockerfile } from './dockerfile.ts'
import type { Place } from './place.ts'
import { decideValue } from './variables.ts'

/** The variables of a service, and what there is to say about them. */
export interface ReadEnvironment extends Pick<Drafted, 'env' | 'envFiles' | 'passEnv'> {
  readonly notes: readonly Note[]
  /** It is told its port in PORT already. */
  readonly readsPort: boolean
}

const told: Readonly<Record<string, RegExp>> = {
  PORT: /./s,
  HOST: /^(?:0\.0\.0\.0|::|127\.0\.0\.1|localhost)$/,
}
const secretName = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|API_?KEY/i
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

type Pair = readonly [name: string, value: string | null]

/** Says one variable of a service: what becomes of it, and what somebody should know. */
function readPair([name, text]: Pair, path: string, place: Place): Partial<ReadEnvironment> {
  const about = `${path}.environment.${name}`
  if (told[name]?.test(text ?? '') === true) {
    return { notes: [{ about, says: `left out: Holdfast tells it where to listen in ${name}` }] }
  }
  if (!identifier.test(name))
    return { notes: [{ about, says: 'a name of other characters cannot be written' }] }
  const value = decideValue(name, text, place.dotEnv)
  if (value.is === 'passed') return { passEnv: [name] }
  if (value.is === 'unknown') {
    const says = `${value.variable} is not set here: left out; write the value, or hand it on with "passEnv"`
    return { notes: [{ about, says }] }
  }
  const literal = value.parts.every((part) => typeof part === 'string') && value.parts.join('') !== ''
  return {
    env: [{ name, value: value.parts }],
    notes: [
      ...value.defaulted.map((variable) => ({
        about,
        says: `${variable} is not set here: its default is written`,
      })),
      ...(literal && secretName.test(name)
        ? [{ about, says: 'it looks like a secret: keep it out of the file, as with "passEnv"' }]
        : []),
    ],
  }
}

/** Names of other services of the file in a value: there they were hosts, here they are none. */
function hostNotes(pair: Pair, path: string, names: readonly string[]): readonly Note[] {
  const [name, text] = pair
  const isWord = /^[\w.-]+$/.test(text ?? '') && !/HOST|ADDR|SERVER|URL|ENDPOINT|BROKER/i.test(name)
  const hosts = isWord ? [] : [...(text ?? '').matchAll(/(?:^|\/\/|[@,])([\w.-]+)(?::\d+)?(?=$|[/,?])/g)]
  const host = hosts.map(([, found = '']) => found).find((found) => names.includes(found))
  return host === undefined
    ? []
    : [
        {
          about: `${path}.environment.${name}`,
          says: `it names the host "${host}", which is none here: write where that listens, as 127.0.0.1 and its port`,
        },
      ]
}

async function readFiles(
  { env_file: files = [] }: ComposePart,
  path: string,
  place: Place,
): Promise<Pick<ReadEnvironment, 'envFiles' | 'notes'>> {
  const looked = await Promise.all(
    files.map(async (file) => ({ file, found: (await place.read(resolve(place.directory, file))) !== null })),
  )
  return {
    envFiles: looked
      .filter(({ found }) => found)
      .map(({ file }) => relative(place.base, resolve(place.directory, file))),
    notes: looked
      .filter(({ found }) => !found)
      .map(({ file }) => ({
        about: `${path}.env_file`,
        says: `${file} is not there: its variables are missing`,
      })),
  }
}

/** Reads the variables of a service: of its Dockerfile, its files and itself; a later one of the same name wins. */
export async function readEnvironment(
  service: ComposePart,
  dockerfile: Dockerfile | null,
  { path, place, names }: { readonly path: string; readonly place: Place; readonly names: readonly string[] },
): Promise<ReadEnvironment> {
  const pairs = [
    ...new Map<string, string | null>([...(dockerfile?.env ?? []), ...(service.environment ?? [])]),
  ]
  const read = pairs.map((pair) => readPair(pair, path, place))
  const files = await readFiles(service, path, place)
  return {
    env: read.flatMap(({ env = [] }) => env),
    passEnv: read.flatMap(({ passEnv = [] }) => passEnv),
    envFiles: files.envFiles,
    notes: [
      ...read.flatMap(({ notes = [] }) => notes),
      ...pairs.flatMap((pair) => hostNotes(pair, path, names)),
      ...files.notes,
    ],
    readsPort: pairs.some(([name]) => name === 'PORT'),
  }
}
