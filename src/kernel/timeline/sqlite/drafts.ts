import type { Header } from '../chain.ts'
import type { Draft } from '../draft.ts'
import { severities } from '../query.ts'

/**
 * Drafts cross to the writer as one text, cells and drafts separated by the control characters that Unicode has for
 * it: words may not contain control characters, JSON escapes them. One text crosses threads many times faster than objects.
 */
const cellSeparator = '\u001f'
const draftSeparator = '\u001e'

/** A draft as the writer gets it. */
export interface SentDraft extends Omit<Header, 'sequence'> {
  readonly salt: string
  readonly text: string
  readonly payloadHash: string
}

/** The text of one draft. */
export function textOfDraft({ fact, salt, text, payloadHash }: Draft): string {
  const { id, at, kind, severity, subject, correlation, actor } = fact
  const rank = severities.indexOf(severity)
  return [id, at, kind, rank, subject, correlation, actor, payloadHash, salt, text].join(cellSeparator)
}

/** The text of several drafts. */
export function joinDrafts(texts: readonly string[]): string {
  return texts.join(draftSeparator)
}

/** The drafts of a text. */
export function parseDrafts(text: string): readonly SentDraft[] {
  return text === '' ? [] : text.split(draftSeparator).map(parseDraft)
}

function parseDraft(draft: string): SentDraft {
  const [id = '', at, kind = '', rank, subject = '', correlation = '', actor = '', ...payload] =
    draft.split(cellSeparator)
  const [payloadHash = '', salt = '', text = ''] = payload
  const severity = severities[Number(rank)] ?? 'info'
  return {
    id,
    at: Number(at),
    kind,
    severity,
    subject: orNull(subject),
    actor,
    correlation: orNull(correlation),
    salt,
    text,
    payloadHash,
  }
}

/** Words are never empty, so an empty cell stands for null. */
function orNull(cell: string): string | null {
  return cell === '' ? null : cell
}
