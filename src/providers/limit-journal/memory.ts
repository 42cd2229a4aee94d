import type { KeptLimits, LimitJournal, RememberedText } from '../../capabilities/limits/ports.ts'

/** A journal in memory, for tests: it keeps to the port, and outlives `close`, as a file would. */
export function memoryJournal(): LimitJournal {
  let snapshot: KeptLimits['snapshot'] = null
  let entries: string[] = []
  let draft: string | null = null
  const remembered = new Map<string, RememberedText>()
  const forget = (nowMs: number): void => {
    for (const [key, { untilMs }] of remembered) if (untilMs <= nowMs) remembered.delete(key)
  }
  return {
    open: async (nowMs) => {
      forget(nowMs)
      return { snapshot, entries: [...entries], remembered: [...remembered.values()], draft, forgotten: 0 }
    },
    append: async (added) => void entries.push(...added),
    save: async (saved, added, nowMs) => {
      snapshot = { table: Uint8Array.from(saved.table), state: saved.state }
      entries = []
      for (const each of added) {
        remembered.delete(each.key)
        remembered.set(each.key, each)
      }
      forget(nowMs)
    },
    keepDraft: async (text) => {
      draft = text
    },
    close: async () => undefined,
  }
}
