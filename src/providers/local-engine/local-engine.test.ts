import { spawn } from 'node:child_process'
import { chmodSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeEngine } from '../../capabilities/environment/engine.conformance.ts'
import { systemClock } from '../../kernel/std/index.ts'
import { createHouse, lives, replica } from '../../../test/support/supervisor/house.ts'

const script = fileURLToPath(new URL('../../../test/support/supervisor/replica.mjs', import.meta.url))

describeEngine('local', async () => {
  const house = createHouse()
  // Services run as users of their own, who have to get there.
  chmodSync(dirname(house.data), 0o755)
  await house.start()
  const others = new Set<ReturnType<typeof spawn>>()
  return {
    engine: house.engine,
    specification: (what, release) => {
      const { id: _, ...specification } = replica('web/1', what === 'serve' ? ['name', release] : [what])
      return {
        ...specification,
        release,
        port: what === 'serve' || what === 'tell' ? { assigned: true } : null,
      }
    },
    handed: async () =>
      readdirSync(join(house.data, 'files'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    crash: async ({ pid }) => void process.kill(pid ?? 0, 'SIGKILL'),
    foreign: async () => {
      const other = spawn(process.execPath, [script, 'idle'], { stdio: 'ignore' })
      others.add(other)
      return async () => lives(other.pid ?? 0)
    },
    away: async () => {
      await house.kill()
      return async () => void (await house.start())
    },
    stop: async () => {
      for (const other of others) other.kill('SIGKILL')
      await systemClock.sleep(50)
      await house.clean()
    },
  }
})
