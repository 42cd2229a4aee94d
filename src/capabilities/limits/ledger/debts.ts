import type { Charge } from './meter.ts'

/** Accounts that may owe something at once; the oldest is let off. */
const mostDebtors = 10_000

/** Units that were committed beyond what a limit had: later takes pay them first. */
export class Debts {
  private readonly owed = new Map<string, number>()

  /** Whether nobody owes anything. */
  get none(): boolean {
    return this.owed.size === 0
  }

  /** What an account owes. */
  of(charge: Charge): number {
    return this.owed.get(keyOf(charge)) ?? 0
  }

  /** Changes what an account owes. */
  set(charge: Charge, units: number): void {
    const key = keyOf(charge)
    this.owed.delete(key)
    if (units <= 0) return
    this.owed.set(key, units)
    const oldest = this.owed.keys().next()
    if (this.owed.size > mostDebtors && oldest.done !== true) this.owed.delete(oldest.value)
  }

  /** All of them, oldest first. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.owed]
  }

  /** Takes over what `entries` gave. */
  restore(entries: readonly (readonly [string, number])[]): void {
    for (const [key, units] of entries) this.owed.set(key, units)
  }
}

function keyOf({ name, text, subject }: Charge): string {
  return `${name}\n${text}\n${subject}`
}
