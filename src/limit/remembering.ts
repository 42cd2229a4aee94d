const mostTexts = 1000
const longestText = 200

/** Remembers what is made of up to a thousand texts, since most programs are asked for the same few again and again. */
export function remembering<T extends {} | null>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const made = make(text)
    if (text.length > longestText) return made
    if (known.size >= mostTexts) known.clear()
    known.set(text, made)
    return made
  }
}
