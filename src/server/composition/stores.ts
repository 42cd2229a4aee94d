import { seriesVersion } from '../../kernel/series/index.ts'
import { timelineVersion } from '../../kernel/timeline/index.ts'
import { journalVersion } from '../../providers/limit-journal/index.ts'

/** The stores of control by the name of their file, with the version of their tables that this Holdfast writes. */
export const storeVersions: Readonly<Record<string, number>> = {
  'timeline.db': timelineVersion,
  'series.db': seriesVersion,
  'limits.db': journalVersion,
}
