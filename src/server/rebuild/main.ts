import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { plainError, systemClock } from '../../kernel/std/index.ts'
import { parseEnvironment, readContents } from '../composition/index.ts'
import { build } from './build.ts'
import { buildRequest, type BuildMessage } from './config.ts'

// The builder: a process of its own, behind the walls of the second environment, so that everything it starts is behind them too.

const over = new AbortController()
const life: { mayBeAlone: boolean } = { mayBeAlone: false }

const end = (why: string): void => over.abort(new Error(why))

/** Whoever asked for the environment holds the other end of our standard input: with them it ends. */
process.stdin.on('end', () => {
  if (!life.mayBeAlone) end('whoever asked for it is gone')
})
process.stdin.resume()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(signal))
// A reader that is gone is no reason to leave anything running.
process.stdout.on('error', () => undefined)

const say = (message: BuildMessage): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

async function hold(keepMs: number | null): Promise<void> {
  if (keepMs === null) return
  life.mayBeAlone = true
  await systemClock.sleep(keepMs, over.signal).catch(() => undefined) // ended early
}

async function main(place: string): Promise<void> {
  const text = await readFile(join(place, 'request.json'), 'utf8')
  const { file, hash, data, dataDirectory, keepMs } = buildRequest.parse(JSON.parse(text))
  const directory = dirname(file)
  const environment = parseEnvironment(data)
  const loaded = {
    file,
    directory,
    hash,
    overrides: {},
    data,
    environment,
    contents: await readContents(directory, environment),
  }
  await build({ loaded, dataDirectory, say, signal: over.signal }, () => hold(keepMs))
}

main(process.argv[2] ?? '').then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${plainError(error).message}\n`)
    process.exit(1)
  },
)
