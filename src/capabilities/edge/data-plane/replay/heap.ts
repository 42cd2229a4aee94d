/** Things with a time, the earliest first: a binary heap. */
export class Heap<T> {
  readonly #entries: { readonly atMs: number; readonly value: T }[] = []

  get size(): number {
    return this.#entries.length
  }

  /** When the earliest is; Infinity: there is none. */
  get nextMs(): number {
    return this.#entries[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  push(atMs: number, value: T): void {
    const entries = this.#entries
    entries.push({ atMs, value })
    for (let place = entries.length - 1; place > 0;) {
      const parent = (place - 1) >> 1
      if (this.#timeAt(parent) <= this.#timeAt(place)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  /** Takes the earliest out; undefined: there is none. */
  pop(): T | undefined {
    const entries = this.#entries
    this.#swap(0, entries.length - 1)
    const earliest = entries.pop()
    for (let place = 0; ;) {
      const left = 2 * place + 1
      const child = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left
      if (this.#timeAt(child) >= this.#timeAt(place)) return earliest?.value
      this.#swap(place, child)
      place = child
    }
  }

  #timeAt(place: number): number {
    return this.#entries[place]?.atMs ?? Number.POSITIVE_INFINITY
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#entries[one], this.#entries[other]]
    if (a === undefined || b === undefined) return
    this.#entries[one] = b
    this.#entries[other] = a
  }
}
