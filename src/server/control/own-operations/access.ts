import { accessOperations } from '../../../contracts/index.ts'
import type { OperationBinding } from '../../../kernel/capability/index.ts'
import type { Access, Role } from '../access/index.ts'
import type { HouseCall } from '../stages/index.ts'
import { bindHouse } from './bind.ts'

async function signIn(
  access: Access,
  link: string,
  call: HouseCall,
): Promise<{ actor: string; role: Role; expiresAt: number }> {
  const { actor, role, token, expiresAt } = await access.redeemLink(link)
  call.changeSession({ is: 'started', token, expiresAt })
  return { actor, role, expiresAt }
}

/** Binds the operations on who may come in. */
export function bindAccess(access: Access): readonly OperationBinding[] {
  return [
    bindHouse(accessOperations.whoami, (_, { caller }) =>
      Promise.resolve({ actor: caller.actor, role: caller.permission as Role }),
    ),
    bindHouse(accessOperations.signIn, ({ link }, call) => signIn(access, link, call)),
    bindHouse(accessOperations.signOut, async (_, call) => {
      await access.endSession(call.visitor)
      call.changeSession({ is: 'ended' })
      return {}
    }),
    bindHouse(accessOperations.createLink, ({ person }, { caller }) => access.createLink(caller, person)),
    bindHouse(accessOperations.createToken, async (wanted, { caller }) => ({
      name: wanted.name,
      token: await access.createToken(caller, wanted),
    })),
    bindHouse(accessOperations.revokeToken, async ({ name }, { caller }) => ({
      revoked: await access.revokeToken(caller, name),
    })),
    bindHouse(accessOperations.listTokens, () => Promise.resolve({ tokens: [...access.tokens()] })),
  ]
}
