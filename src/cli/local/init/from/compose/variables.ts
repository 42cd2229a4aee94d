import type { Part } from '../draft.ts'

/** A piece of a text of compose: text, or a variable with what it is when it is not set (null: nothing). */
export type Piece = string | { readonly variable: string; readonly fallback: string | null }

const pattern = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\})/g

/** Takes a text of compose apart: `$$`, `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const [whole, dollar, bare, braced, operator = '', word = ''] = match
    pieces.push(text.slice(end, match.index))
    const variable = bare ?? braced
    const fallback = operator.endsWith('-') ? word : null
    pieces.push(dollar !== undefined || variable === undefined ? '$' : { variable, fallback })
    end = match.index + whole.length
  }
  return [...pieces, text.slice(end)].filter((piece) => piece !== '')
}

/** A text with every variable replaced; what is neither set nor has a default is told to `missing` and left out. */
export function interpolate(
  text: string,
  set: ReadonlyMap<string, string>,
  missing: (variable: string) => void,
): string {
  const resolve = (piece: Piece): string => {
    if (typeof piece === 'string') return piece
    const value = set.get(piece.variable) ?? piece.fallback
    if (value === null) missing(piece.variable)
    return value ?? ''
  }
  return piecesOf(text).map(resolve).join('')
}

/** What becomes of the value of a variable of a service. */
export type Value =
  | { readonly is: 'parts'; readonly parts: readonly Part[]; readonly defaulted: readonly string[] }
  | { readonly is: 'passed' }
  | { readonly is: 'unknown'; readonly variable: string }

/**
 * Decides how a service gets a variable: written down, read from `.env`, or handed on when compose would have taken it,
 * under the same name, from where it was called.
 */
export function decideValue(name: string, text: string | null, set: ReadonlyMap<string, string>): Value {
  if (text === null) return { is: 'passed' }
  const pieces = piecesOf(text)
  const lost = pieces.find(
    (piece) => typeof piece !== 'string' && piece.fallback === null && !set.has(piece.variable),
  )
  if (lost !== undefined && typeof lost !== 'string') {
    return lost.variable === name && pieces.length === 1
      ? { is: 'passed' }
      : { is: 'unknown', variable: lost.variable }
  }
  const parts = pieces.map((piece): Part => {
    if (typeof piece === 'string') return piece
    return set.has(piece.variable)
      ? { dotEnv: piece.variable, fallback: piece.fallback }
      : (piece.fallback ?? '')
  })
  const defaulted = pieces.flatMap((piece) =>
    typeof piece === 'string' || set.has(piece.variable) ? [] : [piece.variable],
  )
  return { is: 'parts', parts, defaulted }
}
