import { canonicalJson, type FactDeclaration, type Json, lookUp } from '../../../kernel/std/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'

const maxWord = 300
const maxUnknown = 200

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

function word(value: Json | undefined): string {
  if (value === undefined || value === null) return '-'
  return clipped(typeof value === 'string' ? value : canonicalJson(value), maxWord)
}

/** Says facts in words, from the sentence of their declaration; a kind that nobody declares is said by its name. */
export function createSays(
  catalogue: readonly Pick<FactDeclaration, 'kind' | 'says'>[],
): (fact: Fact) => string {
  const sentences = new Map(catalogue.map(({ kind, says }) => [kind, says]))
  return ({ kind, data }) => {
    if (data === null) return `${kind} (its payload was erased)`
    const sentence = sentences.get(kind)
    if (sentence === undefined) return `${kind} ${clipped(canonicalJson(data), maxUnknown)}`
    return sentence.replaceAll(/\{(\w+)\}/g, (_, field: string) => word(lookUp(data, field)))
  }
}
