/** Whatever can turn unknown input into a `T` or throw; every zod schema is one. */
export interface Schema<T> {
  parse(value: unknown): T
}

/** How bad a fact is; `critical` wakes somebody. */
export type Severity = 'info' | 'notice' | 'warning' | 'critical'

/** A kind of fact, declared once in `contracts/`. */
export interface FactDeclaration<Data = unknown> {
  /** `<room>.<past-tense>`, as `environment.replica-crashed`. */
  readonly kind: string
  /** One sentence for people; `{field}` is replaced by the fact's data. */
  readonly says: string
  readonly severity: Severity
  readonly data: Schema<Data>
}

/** What an operation answers with. */
export type AnswerKind = 'value' | 'stream' | 'job'

/** What calling an operation can do to the world. */
export type Danger = 'none' | 'changes' | 'destroys'

/**
 * Who may call: nobody needs to be signed in for `public`; `view`, `operate` and `administer` are a ladder. `use` stands
 * beside `view`: for applications, which take from limits; whoever may `operate` may that too.
 */
export type Permission = 'public' | 'use' | 'view' | 'operate' | 'administer'

/** Something one may ask for, declared once in `contracts/`; every door is a projection of it. */
export interface OperationDeclaration<Input = unknown, Output = unknown> {
  /** `<room>.<imperative>`, as `environment.restart`. */
  readonly name: string
  /** One sentence, imperative, without a full stop. */
  readonly summary: string
  readonly input: Schema<Input>
  /** The value, one item of the stream, or the job's result. */
  readonly output: Schema<Output>
  readonly answers: AnswerKind
  readonly permission: Permission
  readonly danger: Danger
  /** In the notation of limits; keyed by the caller. */
  readonly limit: string
  /** Input or output fields that never reach the timeline, a log or a screen. */
  readonly sensitive: readonly string[]
  /** The command-line form; absent: only `holdfast call <name>`. */
  readonly command?: CommandForm | undefined
  /** Whether the console offers a form. */
  readonly form: boolean
}

/** How an operation is spelled on the command line: `holdfast logs <service> --lines 50`. */
export interface CommandForm {
  /** The words after `holdfast`, as `logs` or `timeline verify`. */
  readonly words: string
  /** Input fields given by position. */
  readonly positional: readonly string[]
}

/** The input type of an operation. */
export type InputOf<O> = O extends OperationDeclaration<infer Input, unknown> ? Input : never

/** The output type of an operation. */
export type OutputOf<O> = O extends OperationDeclaration<unknown, infer Output> ? Output : never
