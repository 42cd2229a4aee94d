/** Remembers up to so many values, each until a time; the oldest half goes when there is no room. */
export class Memory<T> {
  readonly #most: number
  #young = new Map<string, { readonly value: T; readonly untilMs: number }>()
  #old = new Map<string, { readonly value: T; readonly untilMs: number }>()

  constructor(most: number) {
    this.#most = Math.max(1, Math.ceil(most / 2))
  }

  /** Undefined: not known, or over. */
  get(key: string, nowMs: number): T | undefined {
    const young = this.#young.get(key)
    const entry = young ?? this.#old.get(key)
    if (entry === undefined || entry.untilMs <= nowMs) return undefined
    if (young === undefined) this.set(key, entry.value, entry.untilMs)
    return entry.value
  }

  set(key: string, value: T, untilMs: number): void {
    if (this.#young.size >= this.#most && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, { value, untilMs })
  }
}
