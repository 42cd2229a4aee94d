import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { environmentHash } from '../../../src/server/supervisor/index.ts'
import { eventually, type House } from './house.ts'

/** Asks a server on loopback; the body of its answer. */
export function ask(port: number | null): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port: port ?? 0, host: '127.0.0.1', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

/** Asks until there is an answer. */
export const askUntilUp = (port: number | null): Promise<string> =>
  eventually(
    () => ask(port).catch(() => ''),
    (text) => text !== '',
    'it answers',
  )

/** Waits until a log holds a text. */
export const untilLogged = (logFile: string, text: string): Promise<string> =>
  eventually(
    () => readFileSync(logFile, 'utf8'),
    (log) => log.includes(text),
    `${logFile} says ${text}`,
  )

/** Directories of control groups that bear the mark of a house. */
export function groupsOf({ data }: House): readonly string[] {
  if (process.platform !== 'linux') return []
  const out = execFileSync('find', [
    '/sys/fs/cgroup',
    '-type',
    'd',
    '-name',
    `holdfast-${environmentHash(data)}`,
  ])
  return out.toString().split('\n').filter(Boolean)
}

/** Writes until there is no room for another page. */
export function fillUp(directory: string): void {
  for (let count = 0; count < 1000; count++) {
    try {
      writeFileSync(join(directory, `filler-${count}`), Buffer.alloc(4096))
    } catch {
      return
    }
  }
}
