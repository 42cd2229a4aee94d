import type { EnvironmentPlan } from '../../contracts/index.ts'

type Difference = EnvironmentPlan['steps'][number]['differences'][number]

/** A line of a value. */
export interface ValueLine {
  readonly text: string
  /** The other side does not have it. */
  readonly isOther: boolean
}

/** A place in which two values differ, each as lines; null: it is not there. */
export interface ReadableDifference {
  /** Empty: the whole of it. */
  readonly path: string
  readonly before: readonly ValueLine[] | null
  readonly after: readonly ValueLine[] | null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** The leaves of a value, a line each: `deploy.keep: 5`. A list of texts stands on one line, where it has a name. */
function leavesOf(value: unknown, path: string): readonly string[] {
  if (isObject(value) && Object.keys(value).length > 0) {
    const within = (key: string): string => (path === '' ? key : `${path}.${key}`)
    return Object.entries(value).flatMap(([key, each]) => leavesOf(each, within(key)))
  }
  if (path !== '') return [`${path}: ${sayLeaf(value)}`]
  if (!Array.isArray(value)) return [textOf(value)]
  return value.length === 0 ? ['none'] : value.map(textOf)
}

function sayLeaf(value: unknown): string {
  if (!Array.isArray(value)) return textOf(value)
  return value.length === 0 ? 'none' : value.map(textOf).join(' ')
}

/** The lines of a value as a plan has it: a text, or JSON (which may be cut off, and is a text then). */
export function linesOfValue(text: string): readonly string[] {
  if (!/^[[{]/.test(text)) return [text]
  try {
    return leavesOf(JSON.parse(text) as unknown, '')
  } catch {
    return [text]
  }
}

/** A difference as two columns of lines, in which what is on one side only is marked. */
export function readDifference({ path, before, after }: Difference): ReadableDifference {
  const [old, fresh] = [before, after].map((text) => (text === null ? null : linesOfValue(text)))
  // They do differ: what is shown in their place (a secret) does not.
  const isHidden = before === after
  const beside = (
    lines: readonly string[] | null | undefined,
    others: readonly string[] | null | undefined,
  ): readonly ValueLine[] | null =>
    lines?.map((text) => ({ text, isOther: isHidden || others?.includes(text) !== true })) ?? null
  return { path, before: beside(old, fresh), after: beside(fresh, old) }
}
