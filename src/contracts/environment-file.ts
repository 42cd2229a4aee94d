/** Names under which an environment file is looked for, in this order. */
export const environmentFileNames = [
  'holdfast.config.ts',
  'holdfast.config.mts',
  'holdfast.config.js',
  'holdfast.config.mjs',
] as const
