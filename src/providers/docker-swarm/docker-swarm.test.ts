import { describe } from 'vitest'
import { describeEngine } from '../../capabilities/environment/engine.conformance.ts'
import { systemClock } from '../../kernel/std/index.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import { engineOn, scriptInImage, serving } from '../../../test/support/docker/engine.ts'
import {
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Daemon,
} from '../../../test/support/docker/index.ts'

interface RunningTask {
  readonly ID: string
  readonly Status: { readonly State: string; readonly ContainerStatus: { readonly ContainerID: string } }
}

const scripts = {
  serve: serving,
  crash: () => 'for i in $(seq 25); do echo line $i; done; sleep 1; exit 3',
  once: () => 'echo done; exit 5',
  tell: () =>
    '(cat $APP_CONFIG_FILE; echo -n " "; cat $APP_KEY_FILE) > /www/index.html; exec httpd -f -p $PORT -h /www',
}

/** Runs a service of somebody else's; the answer tells whether its task is still the same. */
async function runForeign({ docker }: Daemon): Promise<() => Promise<boolean>> {
  const labels = { 'holdfast.environment': 'other', 'holdfast.service': 'web' }
  const container = { Image: tinyImage, Command: ['sleep', '1000'], Labels: labels }
  await docker.createService({
    Name: 'other_web',
    Labels: labels,
    TaskTemplate: { ContainerSpec: container },
  })
  const filters = { service: ['other_web'], 'desired-state': ['running'] }
  const running = async (): Promise<string> => {
    for (;;) {
      const [task] = (await docker.listTasks({ filters })) as RunningTask[]
      if (task?.Status.State === 'running') return task.ID
      await systemClock.sleep(100)
    }
  }
  const before = await running()
  return async () => (await running()) === before
}

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'with Docker', (paths) => {
    describeEngine('Docker Swarm', async () => {
      const swarm = await startSwarm(paths)
      const [daemon] = swarm.daemons
      return {
        engine: engineOn(daemon),
        specification: (what, release) =>
          scriptInImage(scripts[what](release), {
            release,
            port: what === 'serve' || what === 'tell' ? { assigned: true } : null,
          }),
        handed: async () => {
          const { docker } = daemon
          const all = [...(await docker.listConfigs()), ...(await docker.listSecrets())]
          return all.map(({ Spec }) => Spec?.Name ?? '')
        },
        crash: async ({ logFile }) => {
          const task = daemon.docker.getTask(logFile.slice(logFile.indexOf(':') + 1))
          const { Status } = (await task.inspect()) as RunningTask
          await daemon.docker.getContainer(Status.ContainerStatus.ContainerID).kill()
        },
        foreign: () => runForeign(daemon),
        away: async () => {
          await daemon.kill()
          return () => daemon.start()
        },
        stop: () => swarm.stop(),
      }
    })
  })
})
