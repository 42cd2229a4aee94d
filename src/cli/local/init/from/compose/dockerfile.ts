import { splitCommand } from '../../command-line.ts'

/** What a Dockerfile says about how its image runs. */
export interface Dockerfile {
  /** Empty: it does not say, or leaves it to the image that it builds on. */
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** Absolute, in the image; null: not said. */
  readonly workdir: string | null
  readonly env: readonly (readonly [name: string, value: string])[]
  readonly ports: readonly number[]
  /** What it runs while it builds. */
  readonly runs: readonly string[]
}

interface Instruction {
  readonly word: string
  readonly rest: string
}

function instructionsOf(text: string): readonly Instruction[] {
  const joined = text
    .split(/\r?\n/)
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\[ \t]*\n/g, ' ')
  return joined.split('\n').flatMap((line) => {
    const [, word, rest] = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line) ?? []
    return word === undefined || rest === undefined ? [] : [{ word: word.toUpperCase(), rest }]
  })
}

interface Stage {
  /** Lower case; undefined: it has none. */
  readonly name: string | undefined
  /** The image or the stage that it builds on, lower case. */
  readonly from: string | undefined
  readonly instructions: readonly Instruction[]
}

function stagesOf(all: readonly Instruction[]): readonly Stage[] {
  const starts = all.flatMap(({ word }, index) => (word === 'FROM' ? [index] : []))
  return starts.map((start, index) => {
    const words =
      all[start]?.rest
        .toLowerCase()
        .replace(/^--\S+\s+/, '')
        .split(/\s+as\s+/) ?? []
    return {
      from: words[0],
      name: words[1],
      instructions: all.slice(start + 1, starts[index + 1] ?? all.length),
    }
  })
}

/** What the stage that is run says, the named one or the last, after the stages that it builds on. */
function effective(all: readonly Instruction[], target: string | undefined): readonly Instruction[] {
  const stages = stagesOf(all)
  const gather = (stage: Stage | undefined): readonly Instruction[] => {
    if (stage === undefined) return []
    // A stage can only build on an earlier one, so this ends.
    const earlier = stages.slice(0, stages.indexOf(stage))
    return [...gather(earlier.find(({ name }) => name === stage.from)), ...stage.instructions]
  }
  return gather(
    stages.find(({ name }) => name !== undefined && name === target?.toLowerCase()) ?? stages.at(-1),
  )
}

/** The exec form is JSON, the shell form a command line. */
function commandOf(rest: string): readonly string[] {
  try {
    const words: unknown = JSON.parse(rest)
    if (Array.isArray(words)) return words.map(String)
  } catch {
    // The shell form.
  }
  return splitCommand(rest)
}

function variablesOf(rest: string): readonly (readonly [string, string])[] {
  const old = /^(\w+)\s+([^=]*)$/.exec(rest)
  if (old !== null) return [[old[1] ?? '', old[2] ?? '']]
  return [...rest.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*)/g)].map(
    ([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/s, '$2')],
  )
}

const join = (from: string | null, to: string): string =>
  to.startsWith('/') || from === null ? to : `${from.replace(/\/$/, '')}/${to}`

/** Reads what is readable of a Dockerfile; `target` is the stage that compose names. Pure. */
export function readDockerfile(text: string, target?: string): Dockerfile {
  const all = instructionsOf(text)
  const stage = effective(all, target)
  const rests = (word: string): readonly string[] =>
    stage.filter((each) => each.word === word).map(({ rest }) => rest)
  return {
    entrypoint: rests('ENTRYPOINT').slice(-1).flatMap(commandOf),
    cmd: rests('CMD').slice(-1).flatMap(commandOf),
    workdir: rests('WORKDIR').reduce<string | null>(join, null),
    env: rests('ENV').flatMap(variablesOf),
    ports: rests('EXPOSE')
      .flatMap((rest) => rest.split(/\s+/))
      .flatMap((port) => (/^\d+(?:\/tcp)?$/.test(port) ? [Number.parseInt(port, 10)] : [])),
    runs: all.filter(({ word }) => word === 'RUN').map(({ rest }) => rest.replace(/\s+/g, ' ')),
  }
}
