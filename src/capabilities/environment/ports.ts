import type { DatabaseEngine, DatabaseRecord } from '../../contracts/environment/databases.ts'
import type { Specification, SupervisorEvent, SupervisorStatus } from '../../contracts/supervisor.ts'

/** Replicas of one service that are run alike. */
export interface Group {
  readonly service: string
  /** Content hash of the specification. */
  readonly hash: string
  /** Null: as those are run that are there; such a group can only get smaller. */
  readonly specification: Specification | null
  /** How many shall be there, 0 to 200. */
  readonly replicas: number
  /** Ids of those that go first when there are too many; a hint where replicas cannot be chosen. */
  readonly leaving: readonly string[]
}

/** What runs replicas. Errors: `supervisor.unreachable`, and those of `swarm` where that is the engine. */
export interface Engine {
  /** What it starts: programs of this machine, or images in containers. */
  readonly runs: 'programs' | 'images'
  /** Whether `leaving` is obeyed. */
  readonly choosesReplica: boolean
  status(): Promise<SupervisorStatus>
  /**
   * Makes exactly these groups run and stops all else of this environment; answers at once, the rest is seen in
   * `status` and `events`. Asking twice for the same changes nothing.
   */
  run(groups: readonly Group[]): Promise<SupervisorStatus>
  /**
   * Stops and starts one replica; also revives a crash-looped one. Where the engine cannot reach it alone, all of its
   * group, one after the other, and answers when they are done.
   */
  restart(replicaId: string): Promise<void>
  /** Events that have not become facts, oldest first; waits some seconds when there are none. */
  events(after: EventMark, signal: AbortSignal): Promise<readonly SupervisorEvent[]>
}

/** How far the events of an engine have become facts. */
export interface EventMark {
  /**
   * Number of the supervisor's last event; 0: none. Not the highest: a supervisor that lost its events counts from 1
   * again.
   */
  readonly supervisor: number
  readonly cluster: ClusterMark
}

/** How far what happened to the tasks of a cluster has become facts. A task has no numbered events, only its last state. */
export type ClusterMark = {
  /** Which cluster; empty: none yet. Another one is begun anew. */
  readonly id: string
  /** Highest index that became a fact. Tasks share indices. */
  readonly index: number
  /** Tasks that were said to have started and not yet to have ended, and the replicas that they are. */
  readonly open: { readonly [task: string]: string }
  /** Tasks that were said to have ended, the last few: their index may move once more. */
  readonly closed: readonly string[]
}

/** What a look at an address found. */
export interface ProbeResult {
  readonly healthy: boolean
  /** Why not, in words; empty when healthy. */
  readonly detail: string
}

/** Looks whether something at an address is well; never throws. */
export interface Prober {
  /** `origin` as http://127.0.0.1:3000; `path` null: a TCP connection is enough. */
  probe(origin: string, path: string | null, timeoutMs: number): Promise<ProbeResult>
}

/** The end of a log. */
export interface LogTail {
  /** Oldest first. */
  readonly lines: readonly string[]
  /** Where the file ended, bytes: give it to `follow` to miss nothing. */
  readonly end: number
}

/** Reads what replicas wrote. */
export interface LogReader {
  /**
   * The last `lines` lines, rotation notwithstanding; fewer when there are fewer, or when they are very long; none when
   * there is no file. Of a very long line the end is given.
   */
  tail(file: string, lines: number): Promise<LogTail>
  /**
   * Lines from byte `from` on, as they come, until the signal aborts. A very long line comes in pieces. What was
   * written but not yet read when the file is truncated is lost.
   */
  follow(file: string, from: number, signal: AbortSignal): AsyncIterable<string>
}

/** Where the files of a release come from. */
export type ReleaseSource =
  /** Absolute. */
  | { readonly kind: 'directory'; readonly path: string }
  /** What `ref` names in the repository that `path` lies in, below `path`. */
  | { readonly kind: 'git'; readonly path: string; readonly ref: string }
  /** A .tar, .tar.gz or .tgz file; absolute. */
  | { readonly kind: 'tarball'; readonly path: string }

/** A release that is an image and no files, by a name of Docker's. */
export interface ImageSource {
  readonly kind: 'image'
  readonly name: string
}

/** An image that was found by its name. */
export interface FoundImage {
  readonly name: string
  /** What replicas are started from: the same image for ever, whatever its name comes to mean. */
  readonly image: string
  /** SHA-256 of it, hex. */
  readonly digest: string
  /** 0: not known. */
  readonly sizeBytes: number
}

/** Knows images, where the engine runs those. */
export interface ImageStore {
  /**
   * Looks where the name points, else for what is there already; pulls nothing.
   * Errors: `swarm.no-image`, `swarm.unreachable`.
   */
  find(name: string): Promise<FoundImage>
  /** Removes the images that were made out of a directory, but for those that are in use. Errors: `swarm.unreachable`. */
  forget(directory: string): Promise<void>
}

/** A release that is kept. */
export interface Release {
  readonly release: string
  /** When it was put there, milliseconds since the epoch. */
  readonly at: number
  /** Where it came from, in words. */
  readonly source: string
  /** SHA-256 over names, modes and contents, or that of the image; hex. */
  readonly digest: string
  readonly files: number
  readonly sizeBytes: number
  /** What it runs from; null: it is files. */
  readonly image: string | null
}

/** Keeps releases, with their files where they have any; a release never changes once it is there. */
export interface ReleaseStore {
  /**
   * Puts a release in place, whole or not at all; one that is there already with the same files is answered as it is.
   * Errors: `environment.release-exists` (with other files), `environment.release-unreadable`,
   * `environment.release-too-large`.
   */
  add(
    place: { readonly service: string; readonly release: string },
    source: ReleaseSource,
    signal: AbortSignal,
  ): Promise<Release>
  /** The same for one that is an image. Errors: `environment.release-exists`. */
  addImage(place: { readonly service: string; readonly release: string }, found: FoundImage): Promise<Release>
  /** Newest first. */
  list(service: string): Promise<readonly Release[]>
  /** Absolute directory of its files, whether it is there or not. */
  directoryOf(service: string, release: string): string
  /** Removes a release, in one step; one that is not there is none. */
  remove(service: string, release: string): Promise<void>
  /** Removes what additions and removals that were interrupted have left; not while one is under way. */
  tidy(service: string): Promise<void>
}

/** A volume that is there. */
export interface KeptVolume {
  readonly name: string
  readonly place: string
  /** Of its files; null: they may not be looked at, or are too many to count. */
  readonly sizeBytes: number | null
  /** When it was made, milliseconds since the epoch; null: not known. */
  readonly since: number | null
}

/** Keeps volumes: directories, or volumes of Docker. */
export interface VolumeStore {
  /** Absolute directory in which a service finds a volume, whether it is there or not. */
  directoryOf(volume: string): string
  /** Where it is kept: its directory on this machine, or the name of its Docker volume. */
  placeOf(volume: string): string
  /** Makes it if it is not there and whoever mounts it does not; answers whether it did. Errors: the system's. */
  ensure(volume: string): Promise<boolean>
  /**
   * Every volume of this environment that is on this machine, by name, whether a file names it or not. Errors: the
   * system's, and those of `swarm` where that is the engine.
   */
  list(): Promise<readonly KeptVolume[]>
  /** Removes a volume with all that is in it; one that is not there is none. */
  remove(volume: string): Promise<void>
  /** Why the files of a volume that lies on such a node cannot be removed from here, in words; null: they can. */
  whyKept(volume: string, node: string): Promise<string | null>
}

/** The programs of a database server that are installed. */
export interface DatabasePrograms {
  /** In full, as "15.18". */
  readonly version: string
  /** What its data depend on, as "15" or "10.11". */
  readonly major: string
  /** Absolute; empty: they are on PATH. */
  readonly directory: string
}

/** A database server that Holdfast runs, as its provider is told of it. */
export interface ManagedDatabase extends Pick<
  DatabaseRecord,
  'major' | 'programs' | 'password' | 'adminPassword'
> {
  readonly name: string
  /** Where services reach it. */
  readonly host: string
  readonly port: number
  /** It runs in a container, whose image has its programs; `programs` says nothing then. */
  readonly isContained: boolean
  /** Absolute directory for its files; it need not be there. */
  readonly place: string
  /** Databases in it, the default first. */
  readonly names: readonly string[]
  readonly settings: Readonly<Record<string, string>>
}

/** How a database server is started. */
export interface DatabaseStart extends Pick<Specification, 'stopSignal'> {
  /** Prepares the data directory first, if there is none: whole or not at all. */
  readonly command: readonly string[]
  /** Beside ordinary ones; passwords are handed over here and not in arguments, which everybody sees. */
  readonly variables: Readonly<Record<string, string>>
}

/** How a program is run to its end. */
export interface ProgramRun {
  /** Beside PATH and HOME. */
  readonly variables?: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** What a program left. */
export interface ProgramEnd {
  /** Null: it could not be run, was killed, or took too long. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command to its end in the container of a service that runs; never throws. */
export type RunInside = (service: string, command: readonly string[], run: ProgramRun) => Promise<ProgramEnd>

/** The node on which database servers run in containers, and whose volumes keep their files. */
export interface DatabaseHome {
  /** Which Docker daemon that is; it stays when the swarm is another. */
  readonly daemon: string
  /** Its address, as other containers reach it and as a URL has it. */
  readonly host: string
  /** Ports that something of the swarm has already. */
  readonly takenPorts: readonly number[]
}

/** What runs database servers in containers. Errors: those of `swarm`. */
export interface DatabaseHost {
  home(): Promise<DatabaseHome>
  /** Id of an image that is on that node; null: it is not. Nothing is pulled. */
  imageId(image: string): Promise<string | null>
  /** What a command says in a container of that image, which is gone again when it ends. */
  tryOut(imageId: string, command: readonly string[]): Promise<string>
}

/** Knows one kind of database server. */
export interface DatabaseProvider {
  /** The command by which a server in an image says its version, and how that is read; null: it is none. */
  readonly versionCommand: readonly string[]
  readonly versionOf: (said: string) => Pick<DatabasePrograms, 'version' | 'major'> | null
  /** What is installed, the newest first; looks, never installs. */
  find(): Promise<readonly DatabasePrograms[]>
  /** Debian's package of a major version; null: of any. */
  packageOf(major: string | null): string
  /** Pure: equal databases are started alike. */
  start(database: ManagedDatabase): DatabaseStart
  /** Whether it answers, in its own protocol; never throws. */
  probe(database: ManagedDatabase, timeoutMs: number): Promise<ProbeResult>
  /**
   * Makes the user of the services and the databases that are not there yet, and answers with the version that runs.
   * Errors: `environment.database-refuses`.
   */
  provision(database: ManagedDatabase): Promise<string>
  /** Which of its user and databases are not there, as "user main"; null: it does not say. Never throws. */
  missing(database: ManagedDatabase): Promise<readonly string[] | null>
  /** Bytes on disk, by its own account; null: it does not answer. Never throws. */
  sizeBytes(database: ManagedDatabase): Promise<number | null>
  /** With which its user reaches a database in it. */
  url(database: Pick<ManagedDatabase, 'name' | 'host' | 'port' | 'password'>, name: string): string
}

/** Keeps what belongs to databases that Holdfast runs. */
export interface DatabaseStore {
  /** Absolute directory of a database's files, whether it is there or not. */
  placeOf(database: string): string
  /** Null: there is none. Errors: `environment.database-record-unreadable`. */
  read(database: string): Promise<DatabaseRecord | null>
  /** Keeps the record of a new database, with the directory around it. Errors: the system's. */
  create(database: string, record: DatabaseRecord): Promise<void>
  /** Keeps what has changed in the record of one that is there. Errors: the system's. */
  update(database: string, record: DatabaseRecord): Promise<void>
  /** Makes the directory of its files, for those that nothing runs for. Errors: the system's. */
  ensurePlace(database: string): Promise<void>
  /** A port that is free on this machine, that no other database has, and none of those. */
  freePort(taken: readonly number[]): Promise<number>
  /** Bytes of its files; null: they may not be looked at. */
  sizeBytes(database: string): Promise<number | null>
}

/** Kinds of database servers; a database of SQLite is a file. */
export type DatabaseServer = Exclude<DatabaseEngine, 'sqlite'>

/** What the environment needs from outside. */
export interface EnvironmentPorts {
  readonly engine: Engine
  readonly prober: Prober
  readonly logs: LogReader
  readonly releases: ReleaseStore
  /** Null: the engine runs programs. */
  readonly images: ImageStore | null
  readonly volumes: VolumeStore
  readonly databases: DatabaseStore
  readonly databaseProviders: Readonly<Record<DatabaseServer, DatabaseProvider>>
  /** Null: database servers are programs of this machine. */
  readonly databaseHost: DatabaseHost | null
  /** Whether a program can be started from a directory: it is on `searchPath` (as PATH), or a path to an executable file. */
  readonly canRun: (program: string, directory: string, searchPath: string) => Promise<boolean>
  /** The variables in which `holdfast up` was started. */
  readonly hostVariables: Readonly<Record<string, string>>
  /**
   * If `holdfast up` was told so: makes ours what another Holdfast looks after, and tells the ids of its data directories,
   * once.
   */
  readonly takeOver: (tell: (from: readonly string[]) => Promise<void>) => Promise<void>
  /** What the replicas of a service are told beside that: where control is, and a token to ask it with. */
  readonly givenVariables: (service: string) => Readonly<Record<string, string>>
}

/** Who answers for a service; the edge sends requests there. */
export interface ServiceEndpoints {
  readonly name: string
  readonly targets: readonly {
    readonly id: string
    readonly origin: string
    /** The group that it belongs to; empty: none. */
    readonly group: string
    /** Its share beside the others, 0 to 1000; 100 is ordinary. */
    readonly weight: number
  }[]
  readonly healthPath: string | null
}
