/** What a rule counts by, taken apart: `header:x-tenant` is `header` with the argument `x-tenant`. */
export interface Dimension {
  readonly name: string
  /** The name of the header or cookie; null for all other dimensions. */
  readonly argument: string | null
}

const LONGEST = 64
/** Those that need an argument: a name as RFC 9110 (fields) and RFC 6265 (cookies) allow it, a token. */
const NAMED: readonly string[] = ['header', 'cookie']
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
/** Words of the notation, which therefore cannot be counted by. */
const RESERVED: readonly string[] = ['and', 'burst', 'per', 'queue', 'resets']

/** Takes a dimension of `LimitRule.per` apart. */
export function dimensionOf(text: string): Dimension {
  const colon = text.indexOf(':')
  if (colon < 0) return { name: text, argument: null }
  return { name: text.slice(0, colon), argument: text.slice(colon + 1) }
}

/** Reads a dimension as people write it, `ip` or `header x-tenant`, into one text, `header:x-tenant`. */
export function readDimension(written: string): string {
  return written.replace(/^(header|cookie)(?: |:)/, '$1:')
}

/** Writes a dimension as people do. */
export function printDimension(text: string): string {
  return text.replace(':', ' ')
}

/** What is wrong with a dimension, or undefined. */
export function faultOfDimension(text: string): string | undefined {
  const { name, argument } = dimensionOf(text)
  if (text.length > LONGEST) return `"${text.slice(0, 20)}..." is too long to count by`
  if (!/^[a-z][a-z0-9-]*$/.test(name) || RESERVED.includes(name)) return oddName(text)
  if (!NAMED.includes(name)) return argument === null ? undefined : oddName(text)
  return argument === null
    ? `the name of the ${name} is missing, as in "per ${name} ${sample(name)}"`
    : faultOfArgument(name, argument)
}

function faultOfArgument(name: string, argument: string): string | undefined {
  const isName = TOKEN.test(argument) && !RESERVED.includes(argument.toLowerCase())
  if (!isName) return `"${argument}" is no name of a ${name}`
  const isLower = name === 'cookie' || argument === argument.toLowerCase()
  return isLower ? undefined : `the name of a header is written in lower case, not "${argument}"`
}

function oddName(text: string): string {
  return `"${printDimension(text)}" is no name of something to count by`
}

function sample(name: string): string {
  return name === 'header' ? 'x-tenant' : 'sid'
}
