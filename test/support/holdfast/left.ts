import { readdirSync, readFileSync } from 'node:fs'

/** Pids of all processes that carry a text in their environment or command line (a place's folder, say). Linux only. */
export function processesWith(text: string): readonly number[] {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return '' // gone, or not ours
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(pid, 'environ').includes(text) || read(pid, 'cmdline').includes(text))
    .map(Number)
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024
}
