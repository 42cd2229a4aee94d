import type { Caller } from '../../../kernel/capability/index.ts'
import { HoldfastError, type OperationDeclaration, type Permission } from '../../../kernel/std/index.ts'

/** What each may do. `view` sees and takes nothing, `use` takes from limits and sees nothing; the others may both. */
const grants: Readonly<Record<Permission, readonly Permission[]>> = {
  public: ['public'],
  use: ['public', 'use'],
  view: ['public', 'view'],
  operate: ['public', 'use', 'view', 'operate'],
  administer: ['public', 'use', 'view', 'operate', 'administer'],
}

/** Whether somebody who has `has` may do what asks for `wanted`. */
export function permits(has: Permission, wanted: Permission): boolean {
  return Object.hasOwn(grants, has) && grants[has].includes(wanted)
}

/** Lets the caller pass or throws. Errors: `access.unauthenticated`, `access.denied`. */
export function authorise(
  caller: Caller,
  declaration: Pick<OperationDeclaration, 'name' | 'permission'>,
): void {
  if (permits(caller.permission, declaration.permission)) return
  if (caller.permission === 'public') {
    throw new HoldfastError({
      code: 'access.unauthenticated',
      kind: 'user',
      message: `${declaration.name} is for people and programs that are signed in`,
      hint: 'get a link with "holdfast sign-in", or send a token as "Authorization: Bearer ..."',
    })
  }
  throw new HoldfastError({
    code: 'access.denied',
    kind: 'user',
    message: `${caller.actor} may not call ${declaration.name}: it needs the role ${declaration.permission}, not ${caller.permission}`,
    hint: 'somebody who administers can give another role in the environment file, or another token',
  })
}
