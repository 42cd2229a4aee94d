import { z } from 'zod'

// The shape of a Compose file, as far as it is read: https://compose-spec.io. Other keys are kept, so that they are said.

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const words = z.union([z.string(), z.array(text)])
const texts = z.union([text.transform((one) => [one]), z.array(text)])

/** `[NAME=value, NAME]` or `{ NAME: value, NAME: }` as pairs; null: handed on. */
const variables = z.union([
  z.array(text).transform((lines) =>
    lines.map((line): readonly [string, string | null] => {
      const [, name = line, value = null] = /^([^=]*)=(.*)$/s.exec(line) ?? []
      return [name, value]
    }),
  ),
  z
    .record(z.string(), text.nullable())
    .transform((pairs): (readonly [string, string | null])[] => Object.entries(pairs)),
])

const envFile = z.union([
  text.transform((path) => [path]),
  z.array(z.union([text, z.looseObject({ path: text }).transform(({ path }) => path)])),
])

const limits = z.looseObject({ cpus: text.optional(), memory: text.optional() })

/** One service of a Compose file. */
export const composePart = z.looseObject({
  image: text.optional(),
  build: z
    .union([
      z.string().transform((context) => ({ context, dockerfile: undefined, target: undefined })),
      z.looseObject({ context: text.optional(), dockerfile: text.optional(), target: text.optional() }),
    ])
    .optional(),
  command: words.nullish(),
  entrypoint: words.nullish(),
  working_dir: text.optional(),
  environment: variables.optional(),
  env_file: envFile.optional(),
  ports: z
    .array(
      z.union([text, z.looseObject({ target: text, published: text.optional(), protocol: text.optional() })]),
    )
    .optional(),
  expose: z.array(text).optional(),
  depends_on: z.union([z.array(text), z.record(z.string(), z.unknown()).transform(Object.keys)]).optional(),
  healthcheck: z
    .looseObject({ test: texts.optional(), disable: z.boolean().optional(), start_period: text.optional() })
    .optional(),
  deploy: z
    .looseObject({
      replicas: z.coerce.number().int().min(0).optional(),
      resources: z.looseObject({ limits: limits.optional() }).optional(),
    })
    .optional(),
  scale: z.coerce.number().int().min(0).optional(),
  mem_limit: text.optional(),
  cpus: text.optional(),
  restart: text.optional(),
  stop_grace_period: text.optional(),
  stop_signal: text.optional(),
  volumes: z
    .array(
      z.union([
        text,
        z.looseObject({ type: text.optional(), source: text.optional(), target: text.optional() }),
      ]),
    )
    .optional(),
})

/** One service of a Compose file as read. */
export type ComposePart = z.output<typeof composePart>

/** A Compose file. */
export const composeFile = z.looseObject({
  name: text.optional(),
  services: z.record(
    z.string(),
    z.preprocess((service) => service ?? {}, composePart),
  ),
})

/** A Compose file as read. */
export type ComposeFile = z.output<typeof composeFile>
