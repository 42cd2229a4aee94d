const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
])

/** The fields of an answer that go on to the client. */
export interface ResponseFields {
  /** Name, value, name, value ...; without framing. */
  readonly fields: string[]
  /** As the origin gave it, digits only; empty: none. */
  readonly contentLength: string
}

/** Reads the fields of an origin's answer: hop-by-hop fields and those that Connection lists are dropped. */
export function responseFields(raw: readonly (Buffer | string)[]): ResponseFields {
  const fields: string[] = []
  let contentLength = ''
  let connection = ''
  for (let index = 0; index < raw.length; index += 2) {
    const name = text(raw[index])
    const value = text(raw[index + 1])
    const lower = name.toLowerCase()
    if (!hopByHop.has(lower)) fields.push(name, value)
    else if (lower === 'content-length' && /^[0-9]{1,16}$/.test(value)) contentLength = value
    else if (lower === 'connection') connection = connection === '' ? value : `${connection},${value}`
  }
  return { fields: connection === '' ? fields : withoutListed(fields, connection), contentLength }
}

function text(part: Buffer | string | undefined): string {
  if (typeof part === 'string') return part
  return part === undefined ? '' : part.toString('latin1')
}

const unlisting = /^(?:keep-alive|close)$/i

function withoutListed(fields: string[], connection: string): string[] {
  if (unlisting.test(connection)) return fields
  const listed = connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (!listed.includes(name.toLowerCase())) kept.push(name, fields[index + 1] ?? '')
  }
  return kept
}
