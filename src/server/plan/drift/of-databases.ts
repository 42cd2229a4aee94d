import type { DatabaseList } from '../../../contracts/environment.ts'
import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { ReplicaStatus } from '../../../contracts/supervisor.ts'
import type { DriftItem, Seen } from './item.ts'
import type { FoundDirectory } from './looks.ts'

/** What is known of a database that Holdfast runs. */
export interface DatabaseScene {
  /** What the operation on databases says of it. */
  readonly view: DatabaseList['databases'][number]
  /** What its record says now. */
  readonly record: Seen<DatabaseRecord | null>
  /** Its directory, in which record and files lie. */
  readonly directory: FoundDirectory
  /** Its replica on the engine. */
  readonly replica: Pick<ReplicaStatus, 'port'> | null
}

const recordName = 'record.json'
const filesName = 'files'

/** Where what runs is not what the record says: somebody changed the record. */
function besideRecord({ view, replica }: DatabaseScene, record: DatabaseRecord): readonly string[] {
  const { version, engine } = view
  const port = replica?.port ?? null
  return [
    ...(engine === record.engine ? [] : [`it is ${engine}, and its record says ${record.engine}`]),
    ...(port === null || port === record.port
      ? []
      : [`it listens on port ${port}, and its record says ${record.port ?? 'none'}`]),
    ...(version === null || record.major === '' || version.startsWith(`${record.major}.`)
      ? []
      : [`it runs version ${version}, and its record says ${record.major}`]),
  ]
}

function ofRecord(scene: DatabaseScene): readonly Omit<DriftItem, 'object'>[] {
  const { record, directory } = scene
  const since = directory.entries[recordName] ?? directory.modifiedAt
  if ('trouble' in record) return [{ says: record.trouble, since }]
  if (record.value === null) {
    return [{ says: 'its record is gone, with its port and its passwords', since }]
  }
  return besideRecord(scene, record.value).map((says) => ({ says, since }))
}

/** Before it was ready for the first time, its files are still to be made. */
function ofFiles({ view, directory }: DatabaseScene): readonly Omit<DriftItem, 'object'>[] {
  const isMade = view.version !== null || view.engine === 'sqlite'
  if (!isMade || filesName in directory.entries) return []
  return [{ says: 'its data directory is gone', since: directory.modifiedAt }]
}

function ofContent({ view: { missing, says } }: DatabaseScene): readonly Omit<DriftItem, 'object'>[] {
  return missing.length === 0 ? [] : [{ says, since: null }]
}

/** Where a database that Holdfast runs is not what was chosen for it; how it is is said of it as of a service. */
export function driftOfDatabase(scene: DatabaseScene): readonly DriftItem[] {
  const object = `database ${scene.view.name}`
  return [...ofRecord(scene), ...ofFiles(scene), ...ofContent(scene)].map((item) => ({ object, ...item }))
}
