import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A call that was made. */
export interface Call {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/** What is answered to a call; undefined: nothing, ever. */
export type Reply = { readonly status?: number; readonly body: unknown } | undefined

/** A stand-in for control that records calls and answers as it is told. */
export interface FakeControl {
  readonly url: string
  readonly calls: Call[]
  /** How many connections were opened. */
  connections: number
  reply: (call: Call, request: IncomingMessage) => Reply
  close(): Promise<void>
}

/** Starts one. */
export async function fakeControl(reply: FakeControl['reply']): Promise<FakeControl> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Call['input']
      const call = { operation: (request.url ?? '').replace('/ops/', ''), input }
      fake.calls.push(call)
      const answer = fake.reply(call, request)
      if (answer === undefined) return
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeControl = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    connections: 0,
    reply,
    close: () => closed(server),
  }
  server.on('connection', () => fake.connections++)
  return fake
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
