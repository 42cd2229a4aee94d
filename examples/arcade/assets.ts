import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { Refusal, type Answer, type Visit } from './http.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface Asset {
  readonly content: Buffer
  readonly type: string
  readonly tag: string
}

/** The files of `public/`, read once: a path from outside never touches the disk. */
export function createAssets() {
  const directory = join(import.meta.dirname, 'public')
  const assets = new Map(readdirSync(directory).map((name) => [name, load(join(directory, name))]))

  const serve = (visit: Visit, name: string, cacheControl: string): Answer => {
    const asset = assets.get(name)
    if (asset === undefined) throw new Refusal(404, 'there is nothing here')
    const headers = { etag: asset.tag, 'cache-control': cacheControl }
    if (visit.request.headers['if-none-match'] === asset.tag) return { status: 304, headers }
    visit.response.writeHead(200, {
      ...headers,
      'content-type': asset.type,
      'content-length': asset.content.length,
      'x-content-type-options': 'nosniff',
    })
    visit.response.end(visit.request.method === 'HEAD' ? undefined : asset.content)
    return null
  }

  return {
    /** GET / */
    page: (visit: Visit): Answer => serve(visit, 'index.html', 'no-cache'),
    /** GET /assets/:name */
    file: (visit: Visit): Answer => serve(visit, visit.parameter, 'public, max-age=3600'),
  }
}

function load(path: string): Asset {
  const content = readFileSync(path)
  const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 16)}"`
  return { content, type: types[extname(path)] ?? 'application/octet-stream', tag }
}
