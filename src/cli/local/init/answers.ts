/** What a file is written from. */
export interface Answers {
  /** Name of the environment. */
  readonly name: string
  /** Name of the service. */
  readonly service: string
  readonly runs: Runs
  /** Path of the health check, or null: a TCP connection is enough. */
  readonly health: string | null
  readonly edgePort: number
}

/** A command that Holdfast runs, or an address that already listens. */
export type Runs =
  | {
      readonly by: 'holdfast'
      readonly command: readonly string[]
      /** Port on which it insists; null: it listens on PORT. */
      readonly port: number | null
    }
  | { readonly by: 'others'; readonly address: string }

/** Makes a name of the environment file out of any text: lower-case letters, digits and dashes. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 39)
    .replace(/-+$/, '')
  return name === '' ? 'service' : name
}
