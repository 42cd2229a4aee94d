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

/** The head of an answer as it goes on to the client. */
export interface ResponseFields {
  /** Name, value, name, value ...; without framing. */
  readonly fields: string[]
  /** As the origin gave it, digits only; empty: none. */
  readonly contentLength: string
  /** In a transfer coding besides chunked, which nobody here undoes: it must not be taken for the content. */
  readonly isCoded: boolean
  /** A stream of events: when it ends says nothing of how fast it was. */
  readonly isEventStream: boolean
}

/** Reads the fields of an origin's answer: hop-by-hop fields and those that Connection lists are dropped. */
export function responseFields(raw: readonly (Buffer | string)[]): ResponseFields {
  const fields: string[] = []
  let contentLength = ''
  let connection = ''
  let isCoded = false
  let isEventStream = false
  for (let index = 0; index < raw.length; index += 2) {
    const name = text(raw[index])
    const value = text(raw[index + 1])
    const lower = name.toLowerCase()
    if (!hopByHop.has(lower)) {
      fields.push(name, value)
      if (lower === 'content-type') isEventStream = /^text\/event-stream\b/i.test(value)
    } else if (lower === 'content-length' && /^[0-9]{1,16}$/.test(value)) contentLength = value
    else if (lower === 'transfer-encoding') isCoded ||= !/^(?:chunked|identity)$/i.test(value)
    else if (lower === 'connection') connection = connection === '' ? value : `${connection},${value}`
  }
  return { fields: withoutListed(fields, connection), contentLength, isCoded, isEventStream }
}

/** The reason phrase as it may go on; an odd one says nothing that the status does not say (RFC 9112, 4). */
export function reasonPhrase(raw: string | undefined): string {
  return raw !== undefined && /^[\t\x20-\x7e]*$/.test(raw) ? raw : ''
}

/** The class that a status is counted in, 1 to 5; one that nobody knows is a failure of the server (RFC 9110, 15). */
export function statusClass(status: number): number {
  return status < 600 ? Math.floor(status / 100) : 5
}

function text(part: Buffer | string | undefined): string {
  if (typeof part === 'string') return part
  return part === undefined ? '' : part.toString('latin1')
}

const unlisting = /^(?:keep-alive|close)?$/i

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
