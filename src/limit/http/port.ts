import type { Verdict } from '../port.ts'

/** Reads a dimension out of a request; undefined: the request does not prove it. */
export type ReadValue<Request> = (request: Request) => string | number | undefined

/** What a route takes: the name of a limit, several that all have to admit, or more. */
export type HttpRule<Request, Name extends string = string> =
  | Name
  | readonly Name[]
  | {
      readonly limit: Name | readonly Name[]
      /** What a request costs: units, or how to read them; default 1. */
      readonly cost?: number | ((request: Request) => number)
      /** Requests that are not counted. */
      readonly skip?: (request: Request) => boolean
      /** Counts and reports but refuses nobody. */
      readonly dryRun?: boolean
      /** Dimensions of this route. */
      readonly by?: Readonly<Record<string, ReadValue<Request>>>
    }

/** Rules by route: `POST /login`, `/users/:id`, `GET /assets/*`, `/*`. The most specific one holds. */
export type HttpRules<Request, Name extends string = string> = Readonly<
  Record<string, HttpRule<Request, Name>>
>

/** What holds for all routes. */
export interface HttpOptions<Request> {
  /**
   * How to read dimensions that HTTP does not have, above all `user`; whoever proves no user counts by address. `ip`,
   * `route`, `method`, `host`, `header x` and `cookie x` are there.
   */
  readonly by?: Readonly<Record<string, ReadValue<Request>>>
  /** Proxies whose word about the client counts: addresses or CIDR ranges. Default: none. */
  readonly trustProxies?: readonly string[]
  /** Requests that are not counted. */
  readonly skip?: (request: Request) => boolean
  /** Counts and reports but refuses nobody. */
  readonly dryRun?: boolean
  /** `draft-11`: RateLimit and RateLimit-Policy; `legacy`: X-RateLimit-*; Retry-After is always there. Default `draft-11`. */
  readonly fields?: 'draft-11' | 'legacy' | 'off'
  /** Hears of every refusal, dry ones included. */
  readonly onRefusal?: (verdict: Verdict, request: Request) => void
}

/** A request as a framework hands it over. */
export interface HttpRequest<Request> {
  readonly request: Request
  readonly method: string
  /** The target as the client wrote it, mount paths included. */
  readonly target: string
  /** Address of the other end of the connection. */
  readonly peer: string
  field(name: string): string | undefined
}

/** What is to be done with a request. */
export interface Outcome {
  /** Fields for the answer, whoever gives it; their names in lower case, which spares frameworks the work. */
  readonly fields: readonly (readonly [string, string])[]
  /** The answer, when it is refused. */
  readonly refusal: { readonly status: number; readonly body: string; readonly type: string } | null
  /** Has to be called when the answer is out; undefined: nothing waits for that. */
  readonly done: (() => void) | undefined
}
