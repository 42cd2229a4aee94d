import { HoldfastError } from '../../kernel/std/index.ts'
import { wholeGroupShape, type WholeGroup } from '../../contracts/docker/swarm.ts'
import { unread, type DockerDoor } from './docker/docker-door.ts'

/** Others may change a service at the same time; so often it is read again. */
const mostTries = 5

const isOutOfSequence = (error: unknown): boolean =>
  error instanceof HoldfastError && error.message.includes('out of sequence')

/** Changes a service as it was read; if somebody was faster, reads it again. */
export async function changeGroup(
  door: DockerDoor,
  id: string,
  change: (spec: WholeGroup['Spec']) => WholeGroup['Spec'],
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { Version, Spec } = await door.ask(wholeGroupShape, (docker) => docker.getService(id).inspect())
    try {
      // Without `_query` and `_body` dockerode would put all of it into the address as well.
      const request = { _query: { version: Version.Index }, _body: change(Spec) }
      await door.ask(unread, (docker) => docker.getService(id).update(request))
      return
    } catch (error) {
      if (!isOutOfSequence(error) || tries >= mostTries) throw error
    }
  }
}
