/** What is known of a target's health. Apart from the pipeline, whose router the main thread has no use for. */
export const health = { unknown: 0, well: 1, ill: 2, suspect: 3 } as const
