/** How well `text` answers `query`: 0 not at all; higher is better. Every word of the query must occur. */
function scoreMatch(query: readonly string[], text: string): number {
  let score = 1
  for (const word of query) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    const begins = at === 0 || /[\s./:-]/.test(text[at - 1] ?? '')
    score += (begins ? 8 : 1) + (at === 0 ? 8 : 0) + word.length / text.length
  }
  return score
}

/** The items that match a query, best first; all of them, in their order, for an empty query. */
export function rankMatches<Item>(
  query: string,
  items: readonly Item[],
  textOf: (item: Item) => string,
): readonly Item[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return items
  return items
    .map((item) => ({ item, score: scoreMatch(words, textOf(item).toLowerCase()) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item)
}
