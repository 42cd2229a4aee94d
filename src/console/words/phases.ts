import type { DeployHistory, EnvironmentStatus, Job } from '../../contracts/index.ts'

type Deploy = DeployHistory['deploys'][number]
type Service = EnvironmentStatus['services'][number]

/** A part of a deploy. */
export interface DeployPhase {
  readonly name: string
  readonly state: 'done' | 'now' | 'next'
}

/** What is known of a deploy that is under way. */
export interface DeployScene {
  readonly job: Pick<Job, 'operation' | 'share'>
  /** Undefined: it is being prepared, and the history does not have it yet. */
  readonly deploy: Pick<Deploy, 'outcome'> | undefined
  readonly service: Pick<Service, 'phase'> | undefined
}

const names = {
  prepare: 'Files stored, jobs before it',
  first: 'First new replicas start',
  judge: 'Judged beside the old',
  rest: 'The others follow',
  after: 'Jobs after it',
} as const
type Name = keyof typeof names

/** What was good is not judged again, and no job belongs to it. */
const ofRollback: readonly Name[] = ['first', 'rest']
const ofDeploy: readonly Name[] = ['prepare', 'first', 'judge', 'rest', 'after']

/** From here on the job itself says that replicas are there. */
const startedShare = 0.5

const ofPhase: Readonly<Record<Service['phase'], Name | null>> = {
  waiting: 'first',
  starting: 'first',
  judging: 'judge',
  moving: 'rest',
  refused: 'first',
  // Not begun yet, or done a moment ago.
  steady: null,
}

function nameNow({ job, deploy, service }: DeployScene): Name {
  if (deploy === undefined) return 'prepare'
  if (deploy.outcome !== 'under way') return 'after'
  const name = service === undefined ? null : ofPhase[service.phase]
  return name ?? (job.share < startedShare ? 'first' : 'rest')
}

/** The parts of a deploy, and which of them it is in. */
export function phasesOf(scene: DeployScene): readonly DeployPhase[] {
  const all = scene.job.operation === 'environment.rollback' ? ofRollback : ofDeploy
  const now = nameNow(scene)
  // A roll-back that ends has nothing after its last part, and none is before its first.
  const nearest = now === 'after' ? all.length - 1 : 0
  const found = all.indexOf(now)
  const at = found < 0 ? nearest : found
  return all.map((name, index) => ({
    name: names[name],
    state: index < at ? 'done' : index === at ? 'now' : 'next',
  }))
}
