/** Errors of Docker Swarm, sorted: what follows `swarm.`, HTTP status, exit code, and what it means. */
export const swarmErrors = [
  ['build-failed', 422, 65, 'The image of a service could not be made.'],
  ['no-image', 422, 66, 'An image is neither on the node nor where its name points.'],
  ['no-node', 422, 66, 'The swarm has no such node, or more than one of that name.'],
  ['not-a-manager', 503, 69, 'The Docker daemon is no manager of a swarm.'],
  ['refused', 502, 69, 'Docker refuses what it is asked for.'],
  ['taken-over', 409, 75, 'Another Holdfast looks after the services of this environment in the swarm.'],
  ['too-old', 501, 69, 'The Docker daemon is older than API 1.41.'],
  ['unreachable', 503, 69, 'The Docker daemon does not answer on its socket.'],
] as const
