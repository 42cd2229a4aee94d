import type { Job, OperationName, Operations } from '../../contracts/index.ts'
export interface Client {
  call<N extends OperationName>(name: N, input: Operations[N]['input'], signal?: AbortSignal): Promise<Operations[N]['output']>
  stream<N extends OperationName>(name: N, input: Operations[N]['input'], signal: AbortSignal): AsyncIterable<Operations[N]['output']>
  job<N extends OperationName>(
    name: N,
    input: Operations[N]['input'],
    options?: { idempotencyKey?: string; onProgress?: (job: Job) => void; signal?: AbortSignal },
  ): Promise<Operations[N]['output']>
}
export class ClientError extends Error {
  readonly code: string
  readonly status: number
  readonly hint: string | undefined
  readonly path: string | undefined
  constructor(parts: { code: string; status: number; message: string; hint?: string | undefined; path?: string | undefined }) {
    super(parts.message)
    this.code = parts.code
    this.status = parts.status
    this.hint = parts.hint
    this.path = parts.path
  }
}
export function createClient(options: { url: string; fetch: typeof fetch }): Client {
  const post = async (name: string, input: unknown, signal?: AbortSignal): Promise<Response> => {
    const response = await options.fetch(`${options.url}/ops/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      ...(signal ? { signal } : {}),
    })
    if (response.ok) return response
    const problem = (await response.json().catch(() => ({}))) as Record<string, string>
    throw new ClientError({
      code: problem['code'] ?? 'control.unreachable',
      status: response.status,
      message: problem['detail'] ?? problem['title'] ?? response.statusText,
      hint: problem['hint'],
      path: problem['path'],
    })
  }
  async function* lines(response: Response): AsyncIterable<never> {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) if (part !== '') yield JSON.parse(part) as never
    }
  }
  const client: Client = {
    call: async (name, input, signal) => (await (await post(name, input, signal)).json()) as never,
    stream: async function* (name, input, signal) {
      yield* lines(await post(name, input, signal))
    },
    job: async (name, input, o) => {
      let job = (await (await post(name, input, o?.signal)).json()) as Job
      o?.onProgress?.(job)
      for await (const next of lines(await post('jobs.follow', { job: job.id }, o?.signal))) {
        job = next as Job
        o?.onProgress?.(job)
      }
      if (job.state !== 'done') throw new ClientError({ code: job.error?.code ?? 'jobs.cancelled', status: 500, message: job.error?.message ?? job.state, hint: job.error?.hint ?? undefined })
      return job.result as never
    },
  }
  return client
}
