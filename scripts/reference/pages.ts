import { commandTable, globalFlags, usageOf } from '../../src/cli/commands/index.ts'
import { placeholder, type Flag } from '../../src/cli/arguments/index.ts'
import {
  defaultExit,
  errorCatalogue,
  factCatalogue,
  inputJsonSchema,
  operationCatalogue,
  outputJsonSchema,
} from '../../src/contracts/index.ts'
import type { FactDeclaration, JsonObject } from '../../src/kernel/std/index.ts'
import { environmentFileSchema } from '../../src/server/composition/index.ts'
import { code, markdownTable, page } from './markdown.ts'
import { schemaRows } from './schema-rows.ts'

type AnOperation = (typeof operationCatalogue)[number]

const roomOf = (name: string): string => name.split('.')[0] ?? name

function keysTable(schema: JsonObject): string {
  const rows = schemaRows(schema)
  if (rows.length === 0) return 'Nothing.'
  return markdownTable(
    ['Field', 'Type', 'Default', 'Meaning'],
    rows.map(({ path, type, fallback, means }) => [
      code(path),
      type,
      fallback === 'required' ? fallback : code(fallback),
      means,
    ]),
  )
}

function answerTable(schema: JsonObject): string {
  const rows = schemaRows(schema)
  if (rows.length === 0) return 'Nothing.'
  return markdownTable(
    ['Field', 'Type', 'Meaning'],
    rows.map(({ path, type, means }) => [code(path), type, means]),
  )
}

const manners = {
  value: 'a value',
  stream: 'a stream of items, one JSON document a line',
  job: 'a job, whose result is',
} as const

function operationPart(operation: AnOperation): string {
  const { name, summary, permission, limit, danger, answers, command, sensitive } = operation
  const facts = [
    `needs **${permission}**`,
    `limited to ${code(limit)}`,
    danger === 'none' ? 'changes nothing' : `**${danger}** something`,
    ...(sensitive.length === 0 ? [] : [`never logged: ${sensitive.map(code).join(', ')}`]),
  ]
  return [
    `### ${name}`,
    `${summary}.`,
    `${code(`POST /ops/${name}`)}${command === undefined ? '' : `, ${code(`holdfast ${command.words}`)}`}: ${facts.join('; ')}.`,
    'Input:',
    keysTable(inputJsonSchema(operation)),
    `Answers with ${manners[answers]}:`,
    answerTable(outputJsonSchema(operation)),
  ].join('\n\n')
}

function operationsPage(): string {
  const rooms = [...Map.groupBy(operationCatalogue, ({ name }) => roomOf(name))]
  return page(
    'Operations',
    'What one may ask for. Each is declared once and offered over HTTP, on the command line, in the console and in the client. A call is a `POST` with a JSON object to `/ops/<name>` on control, with `Authorization: Bearer <token>`; errors are `application/problem+json` with a `code` from [the list](errors.md). The same as OpenAPI: `GET /openapi.json` on a running control.',
    ...rooms.flatMap(([room, operations]) => [`## ${room}`, ...operations.map(operationPart)]),
  )
}

function flagRow(flag: Flag): readonly string[] {
  const short = flag.short === undefined ? '' : `-${flag.short}, `
  const fallback =
    flag.required === true
      ? 'required'
      : code(flag.fallback === undefined ? '' : JSON.stringify(flag.fallback))
  return [code(`${short}--${flag.name} ${placeholder(flag)}`.trimEnd()), fallback, flag.means]
}

function commandLinePage(): string {
  const titles = ['Flag', 'Default', 'Meaning']
  const commands = commandTable().flatMap((command) => [
    `## holdfast ${command.words}`,
    `${command.summary}. ${code(usageOf(command))}`,
    ...(command.flags.length === 0 ? [] : [markdownTable(titles, command.flags.map(flagRow))]),
    ...(command.details ?? []),
  ])
  return page(
    'Command line',
    '`holdfast help` and `holdfast help <command>` say the same. With `--json` an answer is one JSON document on standard output, a stream is a line of JSON for each item, and an error is `{"error": {"code", "kind", "message", "hint", "path"}}` on standard error; these shapes are stable. What an answer contains is in [the reference of operations](operations.md); exit codes are [listed](exit-codes.md).',
    'Times are written `1h` (that long ago), `today`, `2026-03-01`, `2026-03-01T12:00`. An argument that starts with a dash follows `--`.',
    '## Flags of every command',
    markdownTable(titles, globalFlags.map(flagRow)),
    ...commands,
  )
}

function fieldsOf(fact: FactDeclaration): string {
  const rows = schemaRows(outputJsonSchema({ output: fact.data }))
  return rows.map(({ path }) => code(path)).join(', ')
}

function factsPage(): string {
  const rooms = [...Map.groupBy(factCatalogue, ({ kind }) => roomOf(kind))]
  return page(
    'Facts',
    'What the timeline can say. `{field}` stands for a field of the fact. `holdfast timeline --kind <kind>` finds them; `--kind "<room>.*"` finds a whole room.',
    ...rooms.flatMap(([room, facts]) => [
      `## ${room}`,
      markdownTable(
        ['Kind', 'Severity', 'Says', 'Fields'],
        facts.map((fact) => [code(fact.kind), fact.severity, fact.says, fieldsOf(fact)]),
      ),
    ]),
  )
}

function errorsPage(): string {
  return page(
    'Errors',
    'Every error has a code, one sentence, and in most cases a hint how to mend it and the path of the key or field at fault. Over HTTP it comes as `application/problem+json` (RFC 9457).',
    markdownTable(
      ['Code', 'HTTP status', 'Exit code', 'Meaning'],
      errorCatalogue.map(({ code: name, status, exit, means }) => [
        code(name),
        String(status),
        String(exit),
        means,
      ]),
    ),
  )
}

const exitMeanings: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'a check found something broken, or the job failed',
  2: 'the command line was not understood; with --exit-code: something would change, or differs',
  65: 'the data is not fit for what was asked',
  66: 'something that was named does not exist',
  69: 'something that is needed does not answer or is not well',
  70: 'a bug of ours; please report it',
  73: 'something is in the way: a file, a port, another Holdfast',
  74: 'the disk failed, or what is on it is damaged',
  75: 'not now: a limit refused, or too much waits; try again later',
  77: 'not permitted',
  78: 'the environment file is wrong',
  130: 'interrupted by Ctrl-C',
}

function exitCodesPage(): string {
  const used = new Set([0, 1, 2, defaultExit, 130, ...errorCatalogue.map(({ exit }) => exit)])
  const rows = [...used]
    .sort((a, b) => a - b)
    .map((exit) => {
      const codes = errorCatalogue.filter((entry) => entry.exit === exit).map((entry) => code(entry.code))
      return [String(exit), exitMeanings[exit] ?? 'see the errors', codes.join(', ')]
    })
  return page(
    'Exit codes',
    'From 64 on as in sysexits.h. An error without a code of its own exits with 70.',
    markdownTable(['Exit code', 'Meaning', 'Errors'], rows),
  )
}

function environmentFilePage(): string {
  const schema = environmentFileSchema()
  return page(
    'The environment file',
    '`holdfast.config.ts` is TypeScript that is loaded as it is: `export default defineEnvironment({ ... })`. It yields data only; a function in it is an error. It is evaluated in a process of its own that has no secrets in its environment. An unknown key is an error. `<name>` stands for a name that you choose, `[]` for each item of a list.',
    'Durations are written `250ms`, `10s`, `5min`, `1h`, `7d`; sizes `512KiB`, `10MiB`, `4GiB`; limits as in [their notation](limits.md).',
    keysTable(schema),
    '## Routes',
    'A route is written `METHOD host/path`; method and host may be left out. `:id` stands for one segment, `*` at the end for the rest; `*.example.com` for one label. The most specific route wins. A route has a `limit`, or `unlimited: { because, until }` that says why not and how long; after that day the file is refused.',
  )
}

/** The pages of docs/reference by file name. `limits.md` is written by hand. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'operations.md': operationsPage(),
    'command-line.md': commandLinePage(),
    'facts.md': factsPage(),
    'errors.md': errorsPage(),
    'exit-codes.md': exitCodesPage(),
    'environment-file.md': environmentFilePage(),
  }
}
