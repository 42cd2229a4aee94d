import { frameText, keyText, quote } from '../file-text.ts'
import { databaseLines } from './databases.ts'
import type { Draft, Drafted, Part } from './draft.ts'

const isText = (part: Part): part is string => typeof part === 'string'

/** A value as TypeScript: text, or a template that takes from `.env`. */
function valueText(parts: readonly Part[]): string {
  if (parts.every(isText)) return quote(parts.join(''))
  const [only] = parts
  const variable = (part: Exclude<Part, string>): string => {
    const fallback = part.fallback === null ? '' : ` ?? ${quote(part.fallback)}`
    return `dotEnv[${quote(part.dotEnv)}]${fallback}`
  }
  if (parts.length === 1 && only !== undefined && !isText(only) && only.fallback !== null)
    return variable(only)
  const escape = (text: string): string => text.replace(/[\\`]|\$\{/g, (found) => `\\${found}`)
  return `\`${parts.map((part) => (isText(part) ? escape(part) : `\${${variable(part)}}`)).join('')}\``
}

function environmentLines({ env, envFiles, passEnv }: Drafted): readonly string[] {
  const pairs = [
    ...envFiles.map((file) => `...envFile(${quote(file)}),`),
    ...env.map(({ name, value }) => `${name}: ${valueText(value)},`),
  ]
  return [
    ...(pairs.length === 0 ? [] : ['env: {', ...pairs.map((line) => `  ${line}`), '},']),
    ...(passEnv.length === 0 ? [] : [`passEnv: [${passEnv.map(quote).join(', ')}],`]),
  ]
}

function resourceLines({ memoryMiB, cpus }: Drafted): readonly string[] {
  const parts = [
    ...(memoryMiB === null ? [] : [`memoryMiB: ${memoryMiB}`]),
    ...(cpus === null ? [] : [`cpus: ${cpus}`]),
  ]
  return parts.length === 0 ? [] : [`resources: { ${parts.join(', ')} },`]
}

function serviceLines(service: Drafted): readonly string[] {
  const { command, directory, port, listens, health, replicas, startTimeout, stopTimeout } = service
  const optional: readonly (readonly [boolean, string])[] = [
    [directory !== '.', `directory: ${quote(directory)},`],
    [port !== null, `port: ${port},`],
    [!listens, 'listens: false,'],
    [health !== null, `health: ${quote(health ?? '')},`],
    [replicas !== null, `replicas: ${replicas},`],
  ]
  const timeouts: readonly (readonly [boolean, string])[] = [
    [startTimeout !== null, `startTimeout: ${quote(startTimeout ?? '')},`],
    [stopTimeout !== null, `stopTimeout: ${quote(stopTimeout ?? '')},`],
  ]
  const chosen = (lines: typeof optional): readonly string[] =>
    lines.flatMap(([holds, line]) => (holds ? [line] : []))
  return [
    `command: [${command.map(quote).join(', ')}],`,
    ...chosen(optional),
    ...environmentLines(service),
    ...resourceLines(service),
    ...chosen(timeouts),
  ]
}

/** Reads files of variables where the environment file is evaluated, so that their values stay out of it. */
function variableLines({ services, dotEnv }: Draft): readonly string[] {
  const usesDotEnv = services.some(({ env }) => env.some(({ value }) => !value.every(isText)))
  const usesFiles = services.some(({ envFiles }) => envFiles.length > 0)
  if (!usesDotEnv && !usesFiles) return []
  return [
    '/** The variables of a file that lies beside this one. */',
    'const envFile = (name: string) =>',
    "  parseEnv(readFileSync(new URL(name, import.meta.url), 'utf8')) as Record<string, string>",
    ...(usesDotEnv ? [`const dotEnv = envFile(${quote(dotEnv)})`] : []),
    '',
  ]
}

/** The environment file of a draft, with its notes as comments at the end. Pure. */
export function draftText(draft: Draft): string {
  const helpers = variableLines(draft)
  return frameText({
    written: `Written by "holdfast init --from ${draft.source}".`,
    imports:
      helpers.length === 0
        ? []
        : ["import { readFileSync } from 'node:fs'", "import { parseEnv } from 'node:util'"],
    helpers,
    name: draft.name,
    services: draft.services.map((service) => ({ name: service.name, lines: serviceLines(service) })),
    afterServices: databaseLines(draft.databases),
    edgePort: draft.edgePort,
    routes: draft.routes.map(
      ({ pattern, to }) => `${keyText(pattern)}: { to: ${quote(to)}, limit: '300/min per ip burst 100' },`,
    ),
    notes:
      draft.notes.length === 0
        ? []
        : [
            `What "init" could not translate from ${draft.source}, or only with an assumption:`,
            ...draft.notes.map(({ about, says }) => `- ${about}: ${says}.`),
          ],
  })
}
