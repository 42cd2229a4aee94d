import { ClientError, problemFrom, unreachable } from './error.ts'

/** No item of a stream is longer than this, in characters. */
const maxLine = 8_388_608

function cut(buffered: string): { readonly lines: readonly string[]; readonly rest: string } {
  const lines = buffered.split('\n')
  const rest = lines.pop() ?? ''
  return { lines: lines.filter((line) => line.trim() !== ''), rest }
}

function tooLong(): ClientError {
  return new ClientError({
    code: 'control.unreachable',
    kind: 'operational',
    message: 'what answers sends lines without an end; it is not control',
    status: 0,
  })
}

/** An item of a stream, or throws what a `$error` line says. */
function itemOf(line: string): unknown {
  const item: unknown = JSON.parse(line)
  const failed = (item as { readonly $error?: unknown } | null)?.$error
  if (failed !== undefined) {
    const { status } = failed as { readonly status?: unknown }
    throw new ClientError(problemFrom(failed, typeof status === 'number' ? status : 500, null))
  }
  return item
}

/** Items of an NDJSON body; empty lines are heartbeats. Leaving the loop ends the request. */
export async function* readItems(body: ReadableStream<Uint8Array>, url: string): AsyncGenerator<unknown> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffered = ''
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw error instanceof Error && error.name === 'AbortError' ? error : unreachable(url, error)
      })
      const { lines, rest } = cut(
        buffered + (done ? decoder.decode() : decoder.decode(value, { stream: true })),
      )
      yield* lines.map(itemOf)
      if (done) return
      if (rest.length > maxLine) throw tooLong()
      buffered = rest
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
