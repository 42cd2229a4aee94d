/** An error as the wire carries it. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly path: string | undefined

  constructor(parts: { status: number; code: string; message: string; path?: string }) {
    super(parts.message)
    this.status = parts.status
    this.code = parts.code
    this.path = parts.path
  }
}
