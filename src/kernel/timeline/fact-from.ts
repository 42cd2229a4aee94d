import { HoldfastError, type FactDeclaration, type JsonObject, type Severity } from '../std/index.ts'
import type { NewFact } from './port.ts'

/** What a fact carries beside its data. */
export interface FactExtras {
  /** Default: none, the whole environment. */
  readonly subject?: string | null | undefined
  /** Default `holdfast`. */
  readonly actor?: string | undefined
  readonly correlation?: string | null | undefined
  /** Default: the declaration's. */
  readonly severity?: Severity | undefined
}

/**
 * Builds a fact from its declaration; the data is checked with the declaration's schema, and what the schema
 * returns is what is recorded. Errors: `timeline.invalid-fact`.
 */
export function factFrom<Data>(
  declaration: FactDeclaration<Data>,
  data: Data,
  extras: FactExtras = {},
): NewFact {
  return {
    kind: declaration.kind,
    severity: extras.severity ?? declaration.severity,
    subject: extras.subject ?? null,
    actor: extras.actor ?? 'holdfast',
    correlation: extras.correlation ?? null,
    data: parsed(declaration, data),
  }
}

function parsed<Data>(declaration: FactDeclaration<Data>, data: Data): JsonObject {
  try {
    return declaration.data.parse(data) as JsonObject
  } catch (cause) {
    throw new HoldfastError({
      code: 'timeline.invalid-fact',
      kind: 'bug',
      message: `the data of a fact ${declaration.kind} does not fit its declaration`,
      path: 'data',
      cause,
    })
  }
}
