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

/** How requests of a framework are read. One object for all of them, so that a request costs none. */
export interface ReadRequest<Request> {
  /** In upper case. */
  readonly method: (request: Request) => string
  /** The target as the client wrote it, mount paths included. */
  readonly target: (request: Request) => string
  /** Address of the other end of the connection; empty when it is gone. */
  readonly peer: (request: Request) => string
  /** A header field by its lower-case name; undefined: it is not there. Several of one name are joined by commas. */
  readonly field: (request: Request, name: string) => string | undefined
}

/** The answer to a request that is refused. */
export interface Refused {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** How a framework is spoken to. */
export interface Door<Request, Reply> extends ReadRequest<Request> {
  /** Sets a field of the answer, whoever gives it; the name in lower case, which spares frameworks the work. */
  readonly set: (reply: Reply, name: string, value: string) => void
  /** Calls when the answer is out, or the client is gone. */
  readonly atEnd: (reply: Reply, done: () => void) => void
  /** Answers. */
  readonly refuse: (reply: Reply, refused: Refused) => void
}
