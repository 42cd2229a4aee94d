import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, nothing, role } from '../shapes.ts'

const tokenName = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'lower-case letters, digits and dashes')

/** Facts about who may come in. Hashes are SHA-256 of 256-bit random values, hex. */
export const accessFacts = {
  tokenCreated: declareFact({
    kind: 'access.token-created',
    says: 'token {name} was created with the role {role}',
    severity: 'notice',
    data: z.strictObject({ name: tokenName, role, hash: z.string(), expiresAt: moment.nullable() }),
  }),
  tokenRevoked: declareFact({
    kind: 'access.token-revoked',
    says: 'token {name} was revoked',
    severity: 'notice',
    data: z.strictObject({ name: tokenName }),
  }),
  linkCreated: declareFact({
    kind: 'access.sign-in-link-created',
    says: 'a sign-in link for {actor} was created',
    data: z.strictObject({ actor: z.string(), role, hash: z.string(), expiresAt: moment }),
  }),
  sessionStarted: declareFact({
    kind: 'access.session-started',
    says: '{actor} signed in to the console',
    severity: 'notice',
    data: z.strictObject({
      actor: z.string(),
      role,
      hash: z.string(),
      linkHash: z.string(),
      expiresAt: moment,
    }),
  }),
  sessionEnded: declareFact({
    kind: 'access.session-ended',
    says: '{actor} signed out',
    data: z.strictObject({ actor: z.string(), hash: z.string() }),
  }),
  signInRefused: declareFact({
    kind: 'access.sign-in-refused',
    says: 'a sign-in was refused: {because}',
    severity: 'warning',
    data: z.strictObject({ because: z.string() }),
  }),
} as const

const token = z.strictObject({ name: tokenName, role, createdAt: moment, expiresAt: moment.nullable() })

/** Operations on who may come in. */
export const accessOperations = {
  whoami: declareOperation({
    name: 'access.whoami',
    summary: 'Show who is signed in',
    input: nothing,
    output: z.strictObject({ actor: z.string(), role }),
    permission: 'view',
    command: { words: 'whoami', positional: [] },
  }),
  signIn: declareOperation({
    name: 'access.sign-in',
    summary: 'Exchange a sign-in link for a session of the console',
    input: z.strictObject({ link: z.string().min(20).max(200) }),
    output: z.strictObject({ actor: z.string(), role, expiresAt: moment }),
    permission: 'public',
    limit: '10/min per address',
    sensitive: ['link'],
  }),
  signOut: declareOperation({
    name: 'access.sign-out',
    summary: 'End the session of the console',
    input: nothing,
    output: nothing,
    permission: 'view',
  }),
  createLink: declareOperation({
    name: 'access.create-sign-in-link',
    summary: 'Create a sign-in link for the console, good once and for ten minutes',
    input: z.strictObject({
      person: z.string().optional().describe('a person of the environment file; default: the caller'),
    }),
    output: z.strictObject({ url: z.string(), expiresAt: moment }),
    permission: 'administer',
    danger: 'changes',
    sensitive: ['url'],
    limit: '10/min per caller',
    command: { words: 'sign-in', positional: ['person'] },
  }),
  createToken: declareOperation({
    name: 'access.create-token',
    summary: 'Create a token for a program; it is shown once',
    input: z.strictObject({
      name: tokenName,
      role: role.default('view'),
      days: z.number().int().min(1).max(3650).optional().describe('days until it expires; absent: never'),
    }),
    output: z.strictObject({ name: tokenName, token: z.string() }),
    permission: 'administer',
    danger: 'changes',
    sensitive: ['token'],
    limit: '10/min per caller',
    command: { words: 'tokens create', positional: ['name'] },
  }),
  revokeToken: declareOperation({
    name: 'access.revoke-token',
    summary: 'Revoke a token',
    input: z.strictObject({ name: tokenName }),
    output: z.strictObject({ revoked: z.boolean() }),
    permission: 'administer',
    danger: 'destroys',
    command: { words: 'tokens revoke', positional: ['name'] },
  }),
  listTokens: declareOperation({
    name: 'access.list-tokens',
    summary: 'Show the tokens',
    input: nothing,
    output: z.strictObject({ tokens: z.array(token) }),
    permission: 'administer',
    command: { words: 'tokens', positional: [] },
  }),
} as const
