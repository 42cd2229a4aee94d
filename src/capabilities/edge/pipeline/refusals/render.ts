import type { Refusal } from './refusal.ts'

/** In which form a refusal is said. */
export type Form = 'problem' | 'html' | 'plain'

/**
 * The form that an Accept field prefers (RFC 9110, 12.5.1): HTML for browsers, plain text if asked for, otherwise
 * `application/problem+json`.
 */
export function formFor(accept: string): Form {
  if (accept === '' || accept === '*/*' || accept.length > 1000) return 'problem'
  const ranges = accept.split(',').map(readRange)
  const quality = (types: readonly string[]): number =>
    Math.max(...types.map((type) => qualityOf(ranges, type)))
  const problem = quality(['application/problem+json', 'application/json'])
  const html = quality(['text/html', 'application/xhtml+xml'])
  const plain = quality(['text/plain'])
  if (problem >= html && problem >= plain) return 'problem'
  return html >= plain ? 'html' : 'plain'
}

interface MediaRange {
  readonly type: string
  readonly quality: number
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
}

/** The most specific range decides. */
function qualityOf(ranges: readonly MediaRange[], type: string): number {
  for (const wanted of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted)
    if (range !== undefined) return range.quality
  }
  return 0
}

/** A refusal as it goes over the wire, but for framing. */
export interface Rendered {
  /** Name, value, name, value ... */
  readonly fields: string[]
  readonly body: string
  readonly sizeBytes: number
  /** What the body may be written in; the same bytes, but less work where all of it is ASCII. */
  readonly encoding: 'latin1' | 'utf8'
}

const contentTypes: Readonly<Record<Form, string>> = {
  problem: 'application/problem+json',
  html: 'text/html; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
}

/** Writes a refusal; whatever came from outside is escaped. `requestId`: what to name when asking somebody about it. */
export function render(refusal: Refusal, form: Form, requestId: string): Rendered {
  const { fields, before, after, sizeBytes } = sheetOf(refusal, form)
  const id = quotes[form](requestId)
  const body = before + id + after
  const wholeBytes = sizeBytes + Buffer.byteLength(id)
  return {
    fields: [...fields, 'x-request-id', requestId],
    body,
    sizeBytes: wholeBytes,
    encoding: wholeBytes === body.length ? 'latin1' : 'utf8',
  }
}

/** All of a refusal but who asks. */
interface Sheet {
  readonly form: Form
  readonly fields: readonly string[]
  /** The body before and after the request's id. */
  readonly before: string
  readonly after: string
  /** Of both. */
  readonly sizeBytes: number
}

/** A refusal that comes again, as those by limits do, is in most cases wanted in the form that it was wanted in before. */
const sheets = new WeakMap<Refusal, Sheet>()

function sheetOf(refusal: Refusal, form: Form): Sheet {
  const known = sheets.get(refusal)
  if (known?.form === form) return known
  const [before, after] = bodies[form](refusal)
  const sizeBytes = Buffer.byteLength(before) + Buffer.byteLength(after)
  const sheet = { form, fields: fieldsOf(refusal, form), before, after, sizeBytes }
  sheets.set(refusal, sheet)
  return sheet
}

function fieldsOf({ fields: own = [], retryAfterSeconds }: Refusal, form: Form): readonly string[] {
  const fields = ['content-type', contentTypes[form], 'cache-control', 'no-store']
  fields.push('x-content-type-options', 'nosniff', ...own)
  if (form === 'html') fields.push('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
  if (retryAfterSeconds !== undefined) fields.push('retry-after', String(retryAfterSeconds))
  return fields
}

const bodies: Readonly<Record<Form, (refusal: Refusal) => readonly [before: string, after: string]>> = {
  problem: ({ type, title, status, detail, retryAfterSeconds, members }) => {
    const text = JSON.stringify({ type, title, status, detail, ...members, retryAfterSeconds })
    return [`${text.slice(0, -1)},"requestId":`, '}\n']
  },
  plain: ({ status, title, detail }) => [`${status} ${title}\n${detail}\nRequest `, '\n'],
  html: page,
}

const quotes: Readonly<Record<Form, (requestId: string) => string>> = {
  problem: (requestId) => JSON.stringify(requestId),
  plain: (requestId) => requestId,
  html: (requestId) => escape(requestId),
}

const style = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;background:#fbfbfa;color:#1c1c1a}
main{max-width:34rem;padding:2rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:.5rem 0}small{color:#666660}
@media(prefers-color-scheme:dark){body{background:#161615;color:#ececea}small{color:#a0a09a}}`

function page({ status, title, detail }: Refusal): readonly [before: string, after: string] {
  const before = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(title)}</title><style>${style}</style></head>
<body><main><h1>${escape(title)}</h1><p>${escape(detail)}</p><p><small>Status ${status} · Request `
  return [before, '</small></p></main></body></html>\n']
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is safe between tags and in quoted attributes. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
