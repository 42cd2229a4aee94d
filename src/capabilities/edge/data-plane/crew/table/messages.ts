/** What the thread that keeps the table is born with. */
export interface KeepingGround {
  readonly path: string
  readonly seed: readonly [number, number]
  /** See `ThreadGround`. */
  readonly timeOriginMs: number
}

/** What it is told. */
export type ToKeeping = { readonly say: 'keep'; readonly table: SharedArrayBuffer } | { readonly say: 'end' }

/** What it says: that writing began to fail, and why. It is told no more until a write has succeeded. */
export interface FromKeeping {
  readonly failed: string
}

/** The most that is written of a table: so much is read and put in place in less than a tenth of a second. */
export const mostTableBytes = 32 * 2 ** 20
