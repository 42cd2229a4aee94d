/*
 * Defects that simulations found and that are not mended yet. Each is worked round in one place, so that everything
 * else is still looked at; `SIMULATION_STRICT=1` works round none of them. Take an entry out with its defect.
 */

const strict = process.env['SIMULATION_STRICT'] === '1'

/** Which defects are worked round. */
export const known = {
  /**
   * When the timeline cannot be written, the edge capability takes that for a refused policy and ends unheard, or never
   * says that an origin failed or a limit bit.
   */
  edgeCannotBearFullDisk: !strict,
  /** After the wall clock was set back, limits ease and origins recover only when it has caught up. */
  endsWaitForTheWallClock: !strict,
} as const
