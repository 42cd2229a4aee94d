export { createAccess, type Access, type AccessGround, type People, type StartedSession } from './access.ts'
export { hashToken } from './credentials.ts'
export { accessFold, type AccessState, type Role } from './fold.ts'
export { ensureRootToken } from './root-token.ts'
