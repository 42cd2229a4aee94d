import * as fc from 'fast-check'

/*
 * Properties run from one seed, so that a red run can be had again and a green one stays green on the same code.
 * `FAST_CHECK_SEED=n` looks elsewhere.
 */
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) })
