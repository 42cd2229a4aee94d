import type { Finding } from '../../../kernel/capability/index.ts'
import { closest } from '../../../kernel/std/index.ts'
import { orderByNeeds, type Needs } from '../wish/index.ts'

/** A circle among names of which each needs another of them: as the names on it, the first one again at the end. */
function circleAmong(left: readonly string[], needs: Needs): readonly string[] {
  const path: string[] = []
  for (let name = left[0]; name !== undefined;) {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    path.push(name)
    name = (needs[name] ?? []).find((needed) => left.includes(needed))
  }
  return path
}

function unknown(name: string, needed: string, needs: Needs): Finding {
  const meant = closest(needed, Object.keys(needs))
  return {
    severity: 'critical',
    path: `services.${name}.needs`,
    message: `it needs "${needed}", which the file does not name`,
    hint: meant === undefined ? `there are ${Object.keys(needs).join(', ')}` : `did you mean "${meant}"?`,
  }
}

/** Needs that nothing in the file meets, and circles of needs: nothing on them could ever start. */
export function findUnmetNeeds(needs: Needs): readonly Finding[] {
  const lost = Object.entries(needs).flatMap(([name, all]) =>
    all.filter((needed) => !Object.hasOwn(needs, needed)).map((needed) => unknown(name, needed, needs)),
  )
  if (lost.length > 0) return lost
  const { left } = orderByNeeds(needs)
  if (left.length === 0) return []
  const circle = circleAmong(left, needs)
  return [
    {
      severity: 'critical',
      path: `services.${circle[0]}.needs`,
      message: `a circle of needs: ${circle.join(' needs ')}`,
      hint: 'take one of them out: what is needed must be able to start without what needs it',
    },
  ]
}
