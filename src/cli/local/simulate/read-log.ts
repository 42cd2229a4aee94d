import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { HoldfastError, systemCode } from '../../../kernel/std/index.ts'

/** A longer line is cut: it is no request, and memory has a bound. */
const longestLine = 65_536
const chunkBytes = 262_144

function cannotRead(file: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'cli.no-file',
    kind: 'user',
    message: `the log ${file} cannot be read (${systemCode(cause) ?? 'unknown reason'})`,
    hint: 'name an access log with --log; one that ends in .gz is unpacked',
    cause,
  })
}

/** Lines of a log, some thousand at a time; unpacked if its name ends in `.gz`. Errors: `cli.no-file`. */
export async function* readLog(file: string): AsyncGenerator<readonly string[]> {
  const bytes = createReadStream(file, { highWaterMark: chunkBytes })
  const stream = file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes
  stream.setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = (lines.pop() ?? '').slice(0, longestLine)
      yield lines
    }
  } catch (error) {
    throw systemCode(error) === undefined ? error : cannotRead(file, error)
  } finally {
    bytes.destroy()
  }
  if (rest !== '') yield [rest]
}
