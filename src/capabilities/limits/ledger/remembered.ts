import type { RememberedText } from '../ports.ts'

/** For so long an answer is given again. */
export const rememberMs = 86_400_000
/** Answers that are remembered at most; the oldest give way. */
const mostRemembered = 100_000

/** An answer with when it was given. */
export interface Remembered {
  readonly answer: unknown
  readonly at: number
}

/** Answers by idempotency key. */
export class Memory {
  private readonly answers = new Map<string, Remembered>()
  /** Keys that no snapshot has yet. */
  private fresh = new Set<string>()

  /** What was answered under this key within 24 hours. */
  recall(key: string, at: number): Remembered | undefined {
    const found = this.answers.get(key)
    return found !== undefined && found.at + rememberMs > at ? found : undefined
  }

  /** Remembers an answer and forgets the oldest. */
  remember(key: string, answer: unknown, at: number): void {
    this.answers.delete(key)
    this.answers.set(key, { answer, at })
    this.fresh.add(key)
    for (const [oldest, { at: since }] of this.answers) {
      if (this.answers.size <= mostRemembered && since + rememberMs > at) break
      this.forget(oldest)
    }
  }

  /** As if it had never been answered. */
  forget(key: string): void {
    this.answers.delete(key)
    this.fresh.delete(key)
  }

  /** What no snapshot has yet, oldest first; from now on it counts as saved. */
  takeFresh(): readonly RememberedText[] {
    const texts = [...this.fresh].flatMap((key) => {
      const found = this.answers.get(key)
      if (found === undefined) return []
      return [{ key, text: JSON.stringify(found), untilMs: found.at + rememberMs }]
    })
    this.fresh = new Set()
    return texts
  }

  /** Gives back what could not be saved. */
  putBack(texts: readonly RememberedText[]): void {
    for (const { key } of texts) if (this.answers.has(key)) this.fresh.add(key)
  }

  /** Takes over what was saved, oldest first. */
  restore(texts: readonly RememberedText[]): void {
    for (const { key, text } of texts) this.answers.set(key, JSON.parse(text) as Remembered)
  }
}
