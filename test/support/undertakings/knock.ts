import { Agent, request } from 'node:http'

/** Requests that go on, and what came of them. */
export interface Knocking {
  /** Bodies of the answers with status 200, the status of others; how often each. */
  readonly answers: ReadonlyMap<string, number>
  /** Connections that were refused: nobody listened. */
  readonly refused: () => number
  /** Connections that were broken before a whole answer had come. */
  readonly broken: () => number
  stop(): Promise<void>
}

/** One request after the other by each of a few clients, each on a connection of its own, none twice. */
export function knock(url: string, width = 3): Knocking {
  const answers = new Map<string, number>()
  const seen = { refused: 0, broken: 0 }
  const ending = new AbortController()
  const tell = (answer: string): void => void answers.set(answer, (answers.get(answer) ?? 0) + 1)
  const ask = (): Promise<void> =>
    new Promise((done) => {
      const outgoing = request(url, { agent: new Agent(), timeout: 20_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          if (response.complete) tell(response.statusCode === 200 ? text : `status ${response.statusCode}`)
          else seen.broken++
          done()
        })
        response.on('error', () => {
          seen.broken++
          done()
        })
      })
      outgoing.on('timeout', () => {
        tell('no answer')
        outgoing.destroy()
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') seen.refused++
        else seen.broken++
        done()
      })
      outgoing.end()
    })
  const client = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await ask()
      await new Promise((next) => setTimeout(next, 20))
    }
  }
  const clients = Array.from({ length: width }, client)
  return {
    answers,
    refused: () => seen.refused,
    broken: () => seen.broken,
    stop: async () => {
      ending.abort()
      await Promise.all(clients)
    },
  }
}
