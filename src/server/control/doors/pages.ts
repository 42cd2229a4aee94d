import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fileFor, loadConsole, notBuiltPage, pageHeaders, type ConsoleFiles } from './console-files.ts'

const forever = 'public, max-age=31536000, immutable'

async function sendFile(
  files: ConsoleFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const [path = '/'] = request.url.split('?', 1)
  const file = fileFor(files, path)
  if (file === undefined) return reply.code(404).type('text/plain').send('There is no such page.\n')
  reply.header('cache-control', file.isImmutable ? forever : 'no-cache').header('etag', file.tag)
  if (request.headers['if-none-match'] === file.tag) return reply.code(304).send()
  return reply.type(file.type).send(file.body)
}

/** Serves the console; when it is not built, looks again at every request for a page. */
export async function addPages(app: FastifyInstance, directory: string): Promise<void> {
  const shelf = { files: await loadConsole(directory) }
  app.get('/*', async (request, reply) => {
    reply.headers(pageHeaders)
    shelf.files ??= await loadConsole(directory)
    if (shelf.files !== null) return sendFile(shelf.files, request, reply)
    return reply.code(503).type('text/html; charset=utf-8').send(notBuiltPage)
  })
}
