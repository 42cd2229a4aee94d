import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { Finding } from '../../../kernel/capability/index.ts'
import { HoldfastError } from '../../../kernel/std/index.ts'
import type { DatabaseHome, DatabaseHost, DatabasePrograms, DatabaseProvider } from '../ports.ts'
import type { DatabaseConfig } from './config.ts'

/** An image that was looked at: which one its name means now, and what is in it. */
export interface LookedImage extends Pick<DatabasePrograms, 'version' | 'major'> {
  readonly imageId: string
}

/** What is looked at with. */
export interface ImageGround {
  readonly provider: DatabaseProvider
  readonly host: DatabaseHost
}

function unusable(message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.database-image-unusable',
    kind: 'user',
    message,
    hint,
  })
}

/** Looks which server is in an image. Errors: `environment.database-image-unusable`, those of the swarm. */
export async function lookAtImage(
  { engine, image = '' }: Pick<DatabaseConfig, 'engine' | 'image'>,
  { provider, host }: ImageGround,
): Promise<LookedImage> {
  const imageId = await host.imageId(image)
  if (imageId === null) {
    throw unusable(`the image ${image} is not on the node`, `get it there first: docker pull ${image}`)
  }
  const said = await host.tryOut(imageId, provider.versionCommand)
  const version = provider.versionOf(said)
  if (version === null) {
    const words = said.trim().split('\n').at(-1) ?? ''
    throw unusable(
      `the image ${image} has no ${engine} in it (${words})`,
      'name one that has its server, its clients and /bin/sh',
    )
  }
  return { imageId, ...version }
}

const loopback = /^(127\.|\[::1\]$|localhost$)/

/** The node that runs them. Errors: `environment.database-image-unusable`, those of the swarm. */
export async function findHome(host: DatabaseHost): Promise<DatabaseHome> {
  const home = await host.home()
  if (!loopback.test(home.host)) return home
  throw unusable(
    `this node advertises ${home.host}, where containers reach no database`,
    'docker swarm init --advertise-addr with another address of this machine, or name the "url" of a database',
  )
}

interface Renewal extends ImageGround {
  readonly config: DatabaseConfig
  readonly record: DatabaseRecord
}

type Container = NonNullable<DatabaseRecord['container']>

/** With the image that the file names now, if that can take the place of the one before. */
async function renewImage(container: Container, { config, record, ...ground }: Renewal): Promise<Container> {
  const { image = container.image, engine } = config
  if (image === container.image || engine !== record.engine) return container
  // One that cannot be run takes nobody's place: a finding and a note say so.
  const looked = await lookAtImage(config, ground).catch(() => null)
  if (looked?.major !== record.major) return container
  const { imageId, version } = looked
  return { ...container, image, imageId, version }
}

/**
 * What is run from now on: another image of the same major version, or the one before; on a node whose address may be
 * another. Null: it is not the node that has its files.
 */
export async function renewContainer(renewal: Renewal): Promise<DatabaseRecord['container']> {
  const { container } = renewal.record
  if (container === null) return null
  // A daemon that is away runs on what is known from before.
  const home = await renewal.host.home().catch(() => null)
  if (home !== null && home.daemon !== container.daemon) return null
  return renewImage({ ...container, host: home?.host ?? container.host }, renewal)
}

interface Candidate extends ImageGround {
  /** Null: there are no data yet. */
  readonly record: DatabaseRecord | null
}

/** Why an image cannot be run on the data that are there; null: it can. Errors: those of looking at it. */
async function findMisfit(
  name: string,
  config: DatabaseConfig,
  { record, ...ground }: Candidate,
): Promise<Pick<Finding, 'message' | 'hint'> | null> {
  const { image = '', version, engine } = config
  if (record === null) await findHome(ground.host)
  const looked = await lookAtImage(config, ground)
  const major = record?.major ?? version ?? looked.major
  if (major === looked.major) return null
  const whose = record === null ? 'the file says' : `the data of "${name}" are of`
  return {
    message: `the image ${image} is ${engine} ${looked.major}, and ${whose} ${major}`,
    hint: 'name an image of that major version, or a new database beside it',
  }
}

/** The same as a finding; undefined also where nobody knows. What runs already runs by its id, whatever its name means now. */
export async function findUnusableImage(
  name: string,
  config: DatabaseConfig,
  candidate: Candidate,
): Promise<Finding | undefined> {
  const { image } = config
  if (image === undefined || candidate.record?.container?.image === image) return undefined
  const about = { severity: 'critical', path: `databases.${name}.image` } as const
  try {
    const misfit = await findMisfit(name, config, candidate)
    return misfit === null ? undefined : { ...about, ...misfit }
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'environment.database-image-unusable')
      return undefined
    return { ...about, message: error.message, hint: error.hint ?? null }
  }
}
