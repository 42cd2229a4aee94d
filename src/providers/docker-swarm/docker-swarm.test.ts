import { describe } from 'vitest'
import { describeEngine } from '../../capabilities/environment/engine.conformance.ts'
import type { Specification, SupervisorStatus } from '../../contracts/supervisor.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import { startSwarm, swarmPrograms, tinyImage, whyNoSwarm } from '../../../test/support/docker/index.ts'
import type { Engine } from '../../capabilities/environment/ports.ts'
import { systemClock } from '../../kernel/std/index.ts'
import { logFiles } from '../log-files/index.ts'
import { swarmEngine } from './index.ts'

/** A supervisor that runs no replicas. */
const idleSupervisor: Engine = {
  runs: 'programs',
  choosesReplica: true,
  status: async (): Promise<SupervisorStatus> => ({
    pid: 1,
    version: '1',
    startedAt: 1,
    processes: [],
    replicas: [],
    notes: [],
  }),
  run: () => idleSupervisor.status(),
  restart: async () => undefined,
  events: async (_, signal) => {
    await systemClock.sleep(5000, signal)
    return []
  },
}

const scripts = {
  serve: (release: string) => `echo -n ${release} > /www/index.html; exec httpd -f -p $PORT -h /www`,
  crash: () => 'for i in $(seq 25); do echo line $i; done; sleep 1; exit 3',
  once: () => 'echo done; exit 5',
}

function specification(what: keyof typeof scripts, release: string): Specification {
  return {
    service: 'web',
    release,
    command: ['sh', '-c', scripts[what](release)],
    directory: '/',
    image: tinyImage,
    build: null,
    mounts: {},
    variables: { A: 'b' },
    port: what === 'serve' ? { assigned: true } : null,
    restarts: true,
    stopTimeoutMs: 1000,
    mayExpose: false,
    memoryMiB: null,
    cpus: null,
  }
}

describe.skipIf(whyNoSwarm !== null)(`on this machine (${whyNoSwarm ?? 'namespaces'})`, () => {
  describeWith(swarmPrograms, 'with Docker', (paths) => {
    describeEngine('Docker Swarm', async () => {
      const swarm = await startSwarm(paths)
      const [daemon] = swarm.daemons
      const engine = swarmEngine({
        environment: 'arcade',
        socketPath: daemon.socketPath,
        supervisor: idleSupervisor,
        files: logFiles,
        clock: systemClock,
      })
      const tasksOf = async (service: string) =>
        (await daemon.docker.listTasks({
          filters: { service: [service], 'desired-state': ['running'] },
        })) as { ID: string; Status: { State: string; ContainerStatus?: { ContainerID: string } } }[]
      return {
        engine,
        specification,
        crash: async ({ logFile }) => {
          const task = (await daemon.docker.getTask(logFile.slice(logFile.indexOf(':') + 1)).inspect()) as {
            Status: { ContainerStatus: { ContainerID: string } }
          }
          await daemon.docker.getContainer(task.Status.ContainerStatus.ContainerID).kill()
        },
        foreign: async () => {
          const labels = { 'holdfast.environment': 'other', 'holdfast.service': 'web' }
          const container = { Image: tinyImage, Command: ['sleep', '1000'], Labels: labels }
          await daemon.docker.createService({
            Name: 'other_web',
            Labels: labels,
            TaskTemplate: { ContainerSpec: container },
          })
          const running = async () => {
            for (;;) {
              const [task] = await tasksOf('other_web')
              if (task?.Status.State === 'running') return task.ID
              await systemClock.sleep(100)
            }
          }
          const before = await running()
          return async () => (await running()) === before
        },
        away: async () => {
          await daemon.kill()
          return daemon.start
        },
        stop: swarm.stop,
      }
    })
  })
})
