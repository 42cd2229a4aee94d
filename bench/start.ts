import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interleaved, type BenchResult } from './harness.ts'

const root = join(import.meta.dirname, '..')
const rounds = 5

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function untilServed(url: string): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const served = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      ({ status }) => status === 200,
      () => false,
    )
    if (served) return
    if (performance.now() > deadline) throw new Error(`${url} was not served`)
    await new Promise((again) => setTimeout(again, 10))
  }
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done())
    child.kill('SIGTERM')
  })
}

/** Seconds from starting a program to its first served request. */
async function timeStart(url: string, start: () => ChildProcess): Promise<number> {
  const begun = performance.now()
  const child = start()
  try {
    await untilServed(url)
    return (performance.now() - begun) / 1000
  } finally {
    await end(child)
  }
}

/** The second `npm start` (everything is set up already) against starting the same web service alone, by hand. */
export async function run(): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-start-'))
  const [edge, control, alone] = [await freePort(), await freePort(), await freePort()]
  const npmStart = (): ChildProcess =>
    spawn(
      process.execPath,
      [
        join(root, 'scripts', 'start.mjs'),
        '--edge-port',
        String(edge),
        '--control-port',
        String(control),
        '--data',
        join(directory, 'data'),
      ],
      { stdio: 'ignore' },
    )
  const byHand = (): ChildProcess =>
    spawn(process.execPath, ['web.ts'], {
      cwd: join(root, 'examples', 'arcade'),
      stdio: 'ignore',
      env: {
        ...process.env,
        HOST: '127.0.0.1',
        PORT: String(alone),
        ARCADE_DATABASE: join(directory, 'arcade.db'),
      },
    })
  try {
    await timeStart(`http://127.0.0.1:${edge}/`, npmStart)
    await timeStart(`http://127.0.0.1:${alone}/`, byHand)
    const { ours, peer } = await interleaved(
      {
        ours: () => timeStart(`http://127.0.0.1:${edge}/`, npmStart),
        peer: () => timeStart(`http://127.0.0.1:${alone}/`, byHand),
      },
      rounds,
    )
    const figure = {
      name: 'second start to first served request',
      value: ours,
      unit: 's',
      peer: 'node web.ts by hand',
      peerValue: peer,
      ratio: ours / peer,
      limit: 'under 3 s',
    }
    return { bench: 'start', figures: [figure] }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
