import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { findFreePort, isFree } from '../machine/free-port.ts'

/** A port for a replica about to start. */
export interface GivenPort {
  /** Null: it does not listen. */
  readonly port: number | null
  /** The port it had before, when a stranger has taken that. */
  readonly takenPort: number | null
}

/** Which slot has which assigned port; a slot keeps its port for life, so that a policy that names it stays right. */
export interface PortBook {
  /** The port to start a replica with. Errors: `supervisor.no-free-port`. */
  give(spec: ReplicaSpec): Promise<GivenPort>
  /** Notes the port of an adopted replica. */
  hold(id: string, port: number): void
  /** Keeps only the slots of these specifications, and keeps off the fixed ports that they name. */
  keepOnly(specs: readonly ReplicaSpec[]): void
  /** Assigned ports by replica id. */
  assigned(): Readonly<Record<string, number>>
}

/** Creates a book; `environment` makes that two houses on one machine search in different places. */
export function createPortBook(environment: string, assigned: Readonly<Record<string, number>>): PortBook {
  const byId = new Map(Object.entries(assigned))
  let fixed: ReadonlySet<number> = new Set()
  let turn: Promise<unknown> = Promise.resolve()

  const search = async (id: string): Promise<GivenPort> => {
    const held = byId.get(id)
    if (held !== undefined && (await isFree(held))) return { port: held, takenPort: null }
    const taken = new Set([...fixed, ...byId.values()])
    const port = await findFreePort(`${environment}/${id}`, taken)
    if (port === undefined) {
      throw new HoldfastError({
        code: 'supervisor.no-free-port',
        kind: 'operational',
        message: `No free port was found for ${id}.`,
      })
    }
    byId.set(id, port)
    return { port, takenPort: held ?? null }
  }

  return {
    give: async (spec) => {
      if (spec.port === null) return { port: null, takenPort: null }
      if ('fixed' in spec.port) return { port: spec.port.fixed, takenPort: null }
      // One search at a time: two at once would find the same port free.
      const mine = turn.then(() => search(spec.id))
      turn = mine.catch(() => undefined)
      return mine
    },
    hold: (id, port) => void byId.set(id, port),
    keepOnly: (specs) => {
      const slots = new Set(
        specs.filter(({ port }) => port !== null && 'assigned' in port).map(({ id }) => id),
      )
      for (const id of byId.keys()) if (!slots.has(id)) byId.delete(id)
      fixed = new Set(
        specs
          .map(({ port }) => (port !== null && 'fixed' in port ? port.fixed : 0))
          .filter((port) => port > 0),
      )
    },
    assigned: () => Object.fromEntries(byId),
  }
}
