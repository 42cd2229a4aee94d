import type { DatabaseList, VolumeList } from '../../contracts/index.ts'
import type { Piece } from '../parts/answer.tsx'
import { placeOf } from '../router/router.ts'
import { sayBytes, sayThings } from './format.ts'

/** A database as answered. */
export type DatabaseView = DatabaseList['databases'][number]
/** A volume as answered. */
export type VolumeView = VolumeList['volumes'][number]

const engines: Readonly<Record<DatabaseView['engine'], string>> = {
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  redis: 'Redis',
  sqlite: 'SQLite',
}

/** What kind of database it is, with its version. */
export const sayEngine = ({ engine, version }: Pick<DatabaseView, 'engine' | 'version'>): string =>
  version === null || version === '' ? engines[engine] : `${engines[engine]} ${version}`

/** Where the page of a database is. */
export const placeOfDatabase = (name: string): string => placeOf(['data', 'database', name])

/** Where the page of a volume is. */
export const placeOfVolume = (name: string): string => placeOf(['data', 'volume', name])

/** What a plan needs to remove something with its data. */
export const sayDestroy = (object: string): string =>
  `holdfast environment apply <plan> --destroy "${object}"`

/** Several things in words: `a`, `a and b`, `a, b and c`. */
export function listOf(words: readonly string[]): string {
  const [last = '', ...others] = words.toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(', ')} and ${last}`
}

const linked = (names: readonly string[], hrefOf: (name: string) => string): readonly Piece[] =>
  names.flatMap((name, index) => {
    const before = index === 0 ? [] : [{ text: index === names.length - 1 ? ' and ' : ', ' }]
    return [...before, { text: name, href: hrefOf(name) }]
  })

function sayHere(databases: readonly DatabaseView[], volumes: readonly VolumeView[]): string {
  const ours = databases.filter(({ managed }) => managed).length
  const words = [
    ...(ours === 0 ? [] : [sayThings(ours, 'database')]),
    ...(volumes.length === 0 ? [] : [sayThings(volumes.length, 'volume')]),
  ]
  if (words.length === 0) return 'No data is kept here'
  const sizes = [...databases.filter(({ managed }) => managed), ...volumes].map(({ sizeBytes }) => sizeBytes)
  const known = sizes.filter((size) => size !== null)
  if (known.length === 0) return `In ${listOf(words)}`
  const total = sayBytes(known.reduce((sum, size) => sum + size, 0))
  return `In ${listOf(words)}, ${known.length === sizes.length ? '' : 'at least '}${total} in all`
}

/** The answer of the page on data: where it lies, how much it is, what is ill, and what nobody names any more. */
export function answerData(
  databases: readonly DatabaseView[],
  volumes: readonly VolumeView[],
): readonly Piece[] {
  if (databases.length === 0 && volumes.length === 0) {
    return [
      {
        text: 'The environment file names no database and no volume: what services keep is their own affair.',
      },
    ]
  }
  const namesOf = (some: readonly { readonly name: string }[]): readonly string[] =>
    some.map(({ name }) => name)
  const ill = namesOf(databases.filter(({ state }) => state !== 'healthy'))
  const elsewhere = namesOf(databases.filter(({ managed }) => !managed))
  const left = namesOf(volumes.filter(({ named }) => !named))
  return [
    { text: sayHere(databases, volumes) },
    ...(elsewhere.length === 0 ? [] : [{ text: '; elsewhere: ' }, ...linked(elsewhere, placeOfDatabase)]),
    ...(ill.length === 0 ? [] : [{ text: '; not healthy: ' }, ...linked(ill, placeOfDatabase)]),
    ...(left.length === 0 ? [] : [{ text: '; left over: ' }, ...linked(left, placeOfVolume)]),
    { text: '.' },
  ]
}
