import type { Note } from '../draft.ts'
import type { ComposeFile, ComposePart } from './config.ts'

const read = [
  'image',
  'build',
  'command',
  'entrypoint',
  'working_dir',
  'environment',
  'env_file',
  'ports',
  'expose',
  'depends_on',
  'healthcheck',
  'deploy',
  'scale',
  'mem_limit',
  'cpus',
  'restart',
  'stop_grace_period',
  'stop_signal',
  'volumes',
]

const container = 'it is about containers, and Holdfast runs programs'
const network = 'services find one another on 127.0.0.1, at a fixed "port"'

/** Why a key of a service is left out, where more can be said than that it is. */
const reasons: Readonly<Record<string, string>> = {
  networks: network,
  links: network,
  hostname: network,
  extra_hosts: network,
  network_mode: network,
  container_name: container,
  init: container,
  tty: container,
  stdin_open: container,
  platform: container,
  pull_policy: container,
  privileged: container,
  cap_add: container,
  cap_drop: container,
  security_opt: container,
  read_only: container,
  user: 'services run as the user who starts Holdfast',
  labels: 'what they say to a proxy has to be said as routes of the edge',
  logging: 'Holdfast keeps what a service writes to standard output, and rotates it',
  extends: 'it is not followed: import what "docker compose config" prints instead',
  profiles: 'the service is written whatever the profile: take it out if it is not for here',
  secrets: 'hand them on with "passEnv", or in a file that the service reads',
  configs: 'the service has to read such a file from its own directory',
  volumes_from: 'say the directories themselves',
  develop: '"holdfast dev" watches the directory of each service',
}

const deployReasons: Readonly<Record<string, string>> = {
  restart_policy: 'Holdfast starts again what ends, and waits longer each time',
  update_config: 'replicas are replaced one after the other, each when the one before is healthy',
}

const said = (about: string, reason: string | undefined): Note => ({
  about,
  says: reason ?? 'it is not translated',
})

const checkReason = 'Holdfast looks every three seconds, and waits two for an answer'
const checkReasons = {
  interval: checkReason,
  timeout: checkReason,
  retries: checkReason,
  start_interval: checkReason,
}

type Reasons = Readonly<Record<string, string>>

/** Notes on the keys of one section, but for those that are known. */
const within =
  (known: readonly string[], why: Reasons = {}) =>
  (path: string, section: object = {}): readonly Note[] =>
    Object.keys(section)
      .filter((key) => !known.includes(key) && !key.startsWith('x-'))
      .map((key) => said(`${path}${key}`, why[key]))

const ofService = within(read, reasons)
const ofBuild = within(['context', 'dockerfile', 'target'])
const ofHealthcheck = within(['test', 'disable', 'start_period'], checkReasons)
const ofDeploy = within(['replicas', 'resources'], deployReasons)
const ofResources = within(['limits'])
const ofLimits = within(['cpus', 'memory'])

/** What of one service nothing was made of, a note for each key. */
export function leftoversOf(path: string, service: ComposePart): readonly Note[] {
  const { build, deploy, healthcheck } = service
  return [
    ...ofService(`${path}.`, service),
    ...ofBuild(`${path}.build.`, build),
    ...ofHealthcheck(`${path}.healthcheck.`, healthcheck),
    ...ofDeploy(`${path}.deploy.`, deploy),
    ...ofResources(`${path}.deploy.resources.`, deploy?.resources),
    ...ofLimits(`${path}.deploy.resources.limits.`, deploy?.resources?.limits),
  ]
}

/** The keys of a service that is left out whole, as words: ` (with its ports and volumes)`. */
export function sayLostKeys(service: ComposePart): string {
  const lost = Object.keys(service).filter(
    (key) => !['image', 'build', 'restart'].includes(key) && !key.startsWith('x-'),
  )
  return lost.length === 0 ? '' : `; left out with it: ${lost.join(', ')}`
}

const topReasons: Readonly<Record<string, string>> = {
  networks: network,
  include: 'it is not followed: import what "docker compose config" prints instead',
  secrets: reasons['secrets'] ?? '',
  configs: reasons['configs'] ?? '',
}

const ofFile = within(['name', 'services', 'version', 'volumes'], topReasons)

/** The same for the top of the file; volumes are said where services use them, and a version means nothing. */
export function leftoversOfFile(file: ComposeFile): readonly Note[] {
  return ofFile('', file)
}
