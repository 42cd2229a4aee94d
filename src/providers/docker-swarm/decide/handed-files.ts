import type { Specification } from '../../../contracts/supervisor.ts'
import { contentHash } from '../../../kernel/std/index.ts'

/** What Docker keeps a file as: a secret only for those replicas that are handed it. */
export type FileKind = 'config' | 'secret'

/** A file that a replica is handed, in the words of Docker. */
export interface HandedFile {
  readonly kind: FileKind
  /** As the file calls it, as APP_CONFIG. */
  readonly name: string
  /** What Docker calls it: the same for the same content, which never changes. */
  readonly dockerName: string
  /** Where it is found in the container. */
  readonly path: string
  /** Base64. */
  readonly content: string
}

/** One of those as Docker knows it. */
export interface KnownFile extends Omit<HandedFile, 'content'> {
  readonly id: string
}

const longestName = 64
const places: Readonly<Record<FileKind, string>> = { config: '/run/configs', secret: '/run/secrets' }
/** Whoever a program runs as in its container, it may read them: nobody else is in there. */
const mode = 0o444

/** The files that a specification hands over. */
export function handedFilesOf(environment: string, { files = {} }: Specification): readonly HandedFile[] {
  return Object.entries(files).map(([name, { content, secret }]) => {
    const kind = secret ? 'secret' : 'config'
    const end = `_${contentHash({ name, content })}`
    const dockerName = `${`${environment}_${name}`.slice(0, longestName - end.length)}${end}`
    return { kind, name, dockerName, path: `${places[kind]}/${name}`, content }
  })
}

/** The variables in which a replica finds their paths. */
export function fileVariables(
  files: readonly Pick<HandedFile, 'name' | 'path'>[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ name, path }) => [`${name}_FILE`, path]))
}

/** How they are named in the specification of a service. */
export function fileReferences(files: readonly KnownFile[]) {
  const targetOf = ({ path }: KnownFile) => ({ Name: path, UID: '0', GID: '0', Mode: mode })
  const of = (kind: FileKind) => files.filter((file) => file.kind === kind)
  const configs = of('config').map((file) => ({
    File: targetOf(file),
    ConfigID: file.id,
    ConfigName: file.dockerName,
  }))
  const secrets = of('secret').map((file) => ({
    File: targetOf(file),
    SecretID: file.id,
    SecretName: file.dockerName,
  }))
  return {
    ...(configs.length === 0 ? {} : { Configs: configs }),
    ...(secrets.length === 0 ? {} : { Secrets: secrets }),
  }
}
