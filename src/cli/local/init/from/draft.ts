/** A piece of a value: text, or a variable of the `.env` file that lies beside the one that is read. */
export type Part = string | { readonly dotEnv: string; readonly fallback: string | null }

/** A service as far as it could be translated. Null: the file's default is right. */
export interface Drafted {
  readonly name: string
  readonly command: readonly string[]
  /** Relative to the environment file. */
  readonly directory: string
  /** Port on which it insists. */
  readonly port: number | null
  readonly listens: boolean
  readonly health: string | null
  readonly env: readonly { readonly name: string; readonly value: readonly Part[] }[]
  /** Files of variables, relative to the environment file. */
  readonly envFiles: readonly string[]
  readonly passEnv: readonly string[]
  readonly replicas: number | null
  readonly memoryMiB: number | null
  readonly cpus: number | null
  readonly startTimeout: string | null
  readonly stopTimeout: string | null
}

/** A database that ran beside the services. */
export interface DraftDatabase {
  readonly name: string
  readonly engine: 'postgres' | 'mariadb' | 'redis'
  /** As `16`; null: it was not said. */
  readonly version: string | null
}

/** What somebody has to look at: it could not be translated, or only with an assumption. */
export interface Note {
  /** Path in the file that was read, as `services.web.networks`. */
  readonly about: string
  /** A sentence without a full stop. */
  readonly says: string
}

/** An environment file in the making. */
export interface Draft {
  readonly name: string
  /** The file that it was made from, as it was named. */
  readonly source: string
  readonly services: readonly Drafted[]
  readonly databases: readonly DraftDatabase[]
  readonly routes: readonly { readonly pattern: string; readonly to: string }[]
  readonly edgePort: number
  /** The `.env` file that values refer to, relative to the environment file. */
  readonly dotEnv: string
  readonly notes: readonly Note[]
}

/** A service of which nothing but name and command is known. */
export function plainService(name: string, command: readonly string[]): Drafted {
  return {
    name,
    command,
    directory: '.',
    port: null,
    listens: true,
    health: null,
    env: [],
    envFiles: [],
    passEnv: [],
    replicas: null,
    memoryMiB: null,
    cpus: null,
    startTimeout: null,
    stopTimeout: null,
  }
}
