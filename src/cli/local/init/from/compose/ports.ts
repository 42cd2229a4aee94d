import type { ComposePart } from './config.ts'

/** A port of a container, and where the world found it. */
export interface PublishedPort {
  readonly inside: number
  /** Null: on a port that nobody chose. */
  readonly outside: number | null
}

/** The TCP ports of a service that are published, and those that cannot be read. */
export function publishedPorts({ ports = [] }: ComposePart): {
  readonly tcp: readonly PublishedPort[]
  readonly unread: readonly string[]
} {
  const read = ports.map((port) => {
    if (typeof port === 'string') return { port: parsePort(port), written: port }
    const { target, published, protocol = 'tcp' } = port
    const written = `${published === undefined ? '' : `${published}:`}${target}/${protocol}`
    return { port: parsePort(written), written }
  })
  return {
    tcp: read.flatMap(({ port }) => (port === null ? [] : [port])),
    unread: read.flatMap(({ port, written }) => (port === null ? [written] : [])),
  }
}

/** `[address:][outside:]inside[/tcp]`; null: a range, another protocol or nonsense. */
function parsePort(text: string): PublishedPort | null {
  const [, outside, inside] =
    /^(?:(?:\d+(?:\.\d+){3}|\[[^\]]*\]):)?(?:(\d*):)?(\d+)(?:\/tcp)?$/.exec(text) ?? []
  if (inside === undefined) return null
  return { inside: Number(inside), outside: outside === undefined || outside === '' ? null : Number(outside) }
}

const localUrl = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(\/[^\s"'|;)]*)?/

/** What a health check of compose asks over HTTP, as a path with its port; null: it asks nothing over HTTP. */
export function healthPathOf({
  healthcheck,
}: ComposePart): { readonly path: string; readonly port: number | null } | null {
  if (healthcheck?.test === undefined || healthcheck.disable === true) return null
  const found = localUrl.exec(healthcheck.test.join(' '))
  if (found === null) return null
  const [, port, path = '/'] = found
  return { path, port: port === undefined ? null : Number(port) }
}
