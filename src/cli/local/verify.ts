import { join, resolve } from 'node:path'
import type { Json } from '../../kernel/std/index.ts'
import { readMark } from '../../kernel/store/index.ts'
import { verifyFile, verifyLines, type Head, type Verification } from '../../kernel/timeline/index.ts'
import { usageError, type Parsed } from '../arguments/index.ts'
import { textOf, type Surroundings } from '../commands/command.ts'
import { findDataDirectory } from '../control/index.ts'
import { plural, type Paper } from '../output/index.ts'
import { linesOf } from './lines-of.ts'

/** Reads `<sequence>:<hash>`, as `timeline head` prints it. Errors: `cli.usage`. */
export function parseAnchor(text: string): Head {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text.trim())
  if (match === null) {
    throw usageError(`--anchor: "${text}" is not of the form <sequence>:<hash>`, {
      hint: 'keep what "holdfast timeline head" prints',
      path: 'anchor',
    })
  }
  return { sequence: Number(match[1]), hash: match[2] ?? '', at: 0 }
}

function resultLines({ checked, head, base, broken, anchor }: Verification, paper: Paper): readonly string[] {
  const facts = `${plural(checked, 'fact')} checked`
  if (broken !== null) {
    return [`${paper.paint('bad', 'broken')} at fact ${broken.sequence}: ${broken.why}`, `${facts} before it`]
  }
  const anchors = {
    none: [],
    held: ['the anchor lies on the chain'],
    'too-old': ['the anchor is older than the oldest fact that is kept: it says nothing'],
    broken: ['the anchor does not lie on the chain'],
  }
  return [
    `${paper.paint('good', 'whole')}: ${facts}`,
    ...(base === null
      ? []
      : [`facts up to ${base.sequence} were removed by retention and are taken on trust`]),
    ...anchors[anchor],
    ...(head === null ? [] : [`anchor it outside: ${head.sequence}:${head.hash}`]),
  ]
}

function documentOf({ checked, head, base, broken, anchor }: Verification): Json {
  return { checked, head: plainHead(head), base: plainHead(base), broken: broken && { ...broken }, anchor }
}

function plainHead(head: Head | null): Json {
  return head === null ? null : { sequence: head.sequence, hash: head.hash, at: head.at }
}

/** The end of the chain as it was last noted beside the timeline: it tells when the newest facts are gone. */
function keptAnchor(dataDirectory: string | null): Head | undefined {
  const mark = dataDirectory === null ? null : readMark(join(dataDirectory, 'timeline.db'))
  return mark === null ? undefined : { sequence: mark.number, hash: mark.hash, at: 0 }
}

/** `holdfast timeline verify --offline`: walks the chain without control. Resolves to the exit code. */
export async function verifyOffline(parsed: Parsed, { voice, directions }: Surroundings): Promise<number> {
  const file = textOf(parsed, 'file')
  const anchorText = textOf(parsed, 'anchor')
  const data = file === undefined ? await findDataDirectory(directions) : null
  const path = data === null ? resolve(directions.directory, file ?? '') : join(data, 'timeline.db')
  const anchor = anchorText === undefined ? keptAnchor(data) : parseAnchor(anchorText)
  const options = {
    ...(anchor === undefined ? {} : { anchor }),
    onProgress: (share: number) => voice.redraw(`checking the chain: ${Math.round(share * 100)}%`),
  }
  const result = data !== null ? await verifyFile(path, options) : await verifyLines(linesOf(path), options)
  voice.redraw('')
  if (voice.json) voice.document(documentOf(result))
  else voice.say(resultLines(result, voice.paper))
  return result.broken === null && result.anchor !== 'broken' ? 0 : 1
}
