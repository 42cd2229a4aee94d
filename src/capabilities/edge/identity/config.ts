import { z } from 'zod'
import { serviceName } from '../../../contracts/shapes.ts'

const fieldName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^`|~-]{1,100}$/, 'the name of a header or cookie')
const file = z.string().min(1).max(4096)

const addressOrFile = z
  .string()
  .refine((text) => !text.includes('://') || /^https:\/\/[^\s]+$/.test(text), 'an https address, or a file')

const ofService = z.strictObject({
  service: serviceName.describe('the service that hands them out, on each of its replicas'),
  path: z
    .string()
    .regex(/^\/[^\s#]{0,1000}$/, 'a path that begins with /')
    .default('/.well-known/jwks.json')
    .describe('where; it has to answer without a token'),
})

const jwt = z.strictObject({
  jwks: z
    .union([addressOrFile, ofService])
    .describe(
      'public keys that sign tokens (RFC 7517): an https address, read again every five minutes; a file; or { service, path } for a service of this file that hands out its own, read again every half a minute',
    ),
  issuer: z.string().min(1).optional().describe('the iss that a token must name'),
  audience: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(20)])
    .optional()
    .describe('the aud that a token must name; of several, one is enough'),
  claim: z.string().min(1).max(100).default('sub').describe('the claim that names the user'),
  from: z
    .union([
      z.literal('authorization'),
      z.strictObject({ cookie: fieldName.describe('name of the cookie') }),
      z.strictObject({ header: fieldName.describe('name of the header') }),
    ])
    .default('authorization')
    .describe('where the token is: "Authorization: Bearer", a cookie or a header'),
})

const session = z
  .strictObject({
    cookie: fieldName.default('connect.sid').describe('name of the cookie'),
    secretFile: file
      .optional()
      .describe('file with the secret; one a line, the first may sign, all may verify'),
    secretVariable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable')
      .optional()
      .describe('variable with the secret, of the shell that runs "holdfast up"'),
    format: z
      .literal('cookie-signature')
      .default('cookie-signature')
      .describe(
        'how it is signed: value.signature, HMAC-SHA256, as express-session writes it; the user is the value',
      ),
  })
  .refine(({ secretFile, secretVariable }) => (secretFile === undefined) !== (secretVariable === undefined), {
    error: 'give one of secretFile and secretVariable',
  })

/** The key `identity` of the section `edge`: by what the edge knows a user. */
export const identityConfig = z
  .strictObject({
    jwt: jwt.optional().describe('tokens that an identity provider signs; signatures by public key only'),
    apiKeys: z
      .strictObject({
        header: fieldName.default('x-api-key').describe('header with the key'),
        file: file.describe('JSON object of name to SHA-256 of the key in hex; read again when it changes'),
      })
      .optional()
      .describe('keys of programs; a request with one counts as key:<name>'),
    session: session.optional().describe('session cookies of the service'),
    passport: z
      .boolean()
      .default(false)
      .describe(
        'gives addresses that behaved for ten minutes a signed cookie, by which "per client" knows them',
      ),
    verifications: z
      .string()
      .default('600/min per ip')
      .describe(
        'how many proofs that the edge has not seen yet are verified; beyond it a request counts by address',
      ),
  })
  .optional()
  .describe('by what the edge knows users; without it everybody is known by address')
