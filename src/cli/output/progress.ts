import type { Job } from '../../contracts/index.ts'
import type { Paper } from './paper.ts'
import { cut } from './text.ts'

const barColumns = 24

/** One line that is redrawn while a job runs: a bar, the share, and what is being done. */
export function progressLine(job: Job, paper: Paper): string {
  const share = Math.min(1, Math.max(0, job.share))
  const full = Math.round(share * barColumns)
  const bar = '█'.repeat(full) + '░'.repeat(barColumns - full)
  const percent = `${Math.round(share * 100)}%`.padStart(4)
  return cut(`${bar} ${percent}  ${job.says === '' ? job.operation : job.says}`, paper.width - 1)
}
