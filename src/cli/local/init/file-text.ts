import type { Answers, Runs } from './answers.ts'

/** A text as TypeScript source. */
export function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function runLines(runs: Runs, waivedUntil: string): readonly string[] {
  if (runs.by === 'others') {
    return ['// Somebody else runs it; Holdfast sends requests there.', `address: ${quote(runs.address)},`]
  }
  const command = `command: [${runs.command.map(quote).join(', ')}],`
  const shell =
    runs.command[0] === 'sh'
      ? '// A shell, because of what only a shell understands.'
      : '// Run without a shell.'
  const where =
    runs.port === null
      ? [`${shell} It is told where to listen in HOST and PORT.`, command]
      : [shell, command, `port: ${runs.port},`]
  return [
    ...where,
    '',
    '// It has to listen on 127.0.0.1 (HOST) only. Elsewhere no limit protects it, so it is stopped; if yours cannot',
    '// do otherwise yet, say why and until when:',
    `// mayExpose: { because: 'does not read HOST yet', until: '${waivedUntil}' },`,
    ...(runs.port === null ? ['', '// replicas: 2,', '// resources: { memoryMiB: 512 },'] : []),
  ]
}

function healthLines(health: string | null): readonly string[] {
  return health === null
    ? [
        '',
        '// A path that answers 2xx when it is well. Without one, a TCP connection is enough.',
        "// health: '/healthz',",
      ]
    : ['', '// Answers 2xx or 3xx when it is well.', `health: ${quote(health)},`]
}

const indent = (lines: readonly string[], columns: number): readonly string[] =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(columns) + line))

/** A key of an object as TypeScript source. */
export function keyText(key: string): string {
  return /^[a-z][a-zA-Z0-9]*$/.test(key) ? key : quote(key)
}

/** What differs between one written environment file and another; lines are without their indentation. */
export interface Frame {
  /** The first sentence of the comment on top. */
  readonly written: string
  readonly imports: readonly string[]
  /** Before the environment. */
  readonly helpers: readonly string[]
  readonly name: string
  readonly services: readonly { readonly name: string; readonly lines: readonly string[] }[]
  readonly afterServices: readonly string[]
  readonly edgePort: number
  readonly routes: readonly string[]
  /** Comments at the end, without their slashes. */
  readonly notes: readonly string[]
}

function servicesLines({ services, afterServices }: Frame): readonly string[] {
  return [
    'services: {',
    ...services.flatMap(({ name, lines }) => [`  ${keyText(name)}: {`, ...indent(lines, 4), '  },']),
    '},',
    '',
    ...(afterServices.length === 0 ? [] : [...afterServices, '']),
  ]
}

function edgeLines({ edgePort, routes }: Frame): readonly string[] {
  return [
    'edge: {',
    "  // Where the world comes in. For the world beyond this machine: host: '0.0.0.0', and tls: { certificate, key }.",
    `  listen: [{ port: ${edgePort} }],`,
    '',
    '  // No route without a limit. The most specific route wins; a limit is written the way a person says it:',
    "  // '120/min per ip burst 60', '2 at once per ip', '300/min', 'dry run 30/min per ip' (counts, refuses nothing).",
    '  routes: {',
    ...indent(routes, 4),
    '  },',
    '},',
    '',
    '// Who may come in to the console: "holdfast sign-in lead" makes a link for that person. What somebody knows and where',
    '// to reach them can stand there, too: "holdfast who-knows" asks for it.',
    "// people: { lead: { role: 'administer', knows: { deeply: ['Postgres'] }, reach: { email: 'lead@example.com' } } },",
  ]
}

/** The text of a whole environment file, with the comments that its owner will want. Pure. */
export function frameText(frame: Frame): string {
  const lines = [
    ...frame.imports,
    "import { defineEnvironment } from 'holdfast'",
    '',
    ...frame.helpers,
    `// ${frame.written} "holdfast check" says whether a change is right, "holdfast up" runs it,`,
    '// "holdfast reload" takes a change over while it runs, "holdfast dev" does so by itself.',
    'export default defineEnvironment({',
    `  name: ${quote(frame.name)},`,
    '',
    ...indent(servicesLines(frame), 2),
    ...indent(edgeLines(frame), 2),
    '})',
    ...(frame.notes.length === 0 ? [] : ['', ...frame.notes.map((note) => `// ${note}`)]),
  ]
  return `${lines.join('\n')}\n`
}

/** The environment file of one service, from answers. `waivedUntil` is a date, as 2027-03-31. Pure. */
export function fileText({ name, service, runs, health, edgePort }: Answers, waivedUntil: string): string {
  return frameText({
    written: 'Written by "holdfast init".',
    imports: [],
    helpers: [],
    name,
    services: [{ name: service, lines: [...runLines(runs, waivedUntil), ...healthLines(health)] }],
    afterServices: [],
    edgePort,
    routes: [
      '// Whatever can be guessed or is dear to answer deserves a tight limit of its own:',
      `// 'POST /login': { to: ${quote(service)}, limit: ['5/min per ip', '300/min'] },`,
      '',
      `'/*': { to: ${quote(service)}, limit: '300/min per ip burst 100' },`,
    ],
    notes: [],
  })
}
