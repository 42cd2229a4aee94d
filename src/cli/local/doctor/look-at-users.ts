import { stat } from 'node:fs/promises'
import { askStatus, whyNoUsers } from '../../../server/supervisor/index.ts'
import { findUnits, hasSystemd } from '../install/index.ts'
import { diagnoseSystemd, diagnoseUsers, type Diagnosis, type RunsAs } from './diagnosis.ts'

async function runsAs(name: string, pid: number | null): Promise<readonly RunsAs[]> {
  if (pid === null) return []
  // The directory of a process belongs to whom it runs as, see proc(5).
  const found = await stat(`/proc/${pid}`).catch(() => null)
  return found === null ? [] : [{ name, uid: found.uid }]
}

/** Whom control, edge and services run as, as far as they run, and what services could read. Linux. */
export async function lookAtUsers(dataDirectory: string): Promise<Diagnosis> {
  const user = process.getuid?.() ?? -1
  const status = await askStatus(dataDirectory)
  const named = [
    ...(status?.processes ?? []).map(({ name, pid }) => ({ name: name as string, pid })),
    ...(status?.replicas ?? []).map(({ service, pid }) => ({ name: service, pid })),
  ]
  const running = (await Promise.all(named.map(({ name, pid }) => runsAs(name, pid)))).flat()
  const once = [...new Map(running.map((each) => [each.name, each])).values()]
  return diagnoseUsers(user, user === 0 ? whyNoUsers() : null, { running: once, notes: status?.notes ?? [] })
}

/** Whether systemd starts the environment of a data directory. */
export async function lookAtSystemd(dataDirectory: string): Promise<Diagnosis> {
  const unit = (await findUnits('/')).find(({ data }) => data === dataDirectory)
  return diagnoseSystemd(await hasSystemd(), unit?.name)
}
