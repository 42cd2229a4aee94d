/** Errors of rebuilds as rows of the catalogue: code, HTTP status, exit code, meaning. */
export const rebuildErrors = [
  ['rebuild-failed', 422, 1, 'The environment could not be built a second time; the phase says where.'],
  ['rebuild-no-room', 507, 69, 'There is too little memory or disk for a second environment.'],
  ['rebuild-refused', 422, 65, 'The environment cannot be built a second time here, or under this name.'],
  ['rebuild-under-way', 409, 75, 'A second environment of this name is being built or kept.'],
  ['rebuild-unknown', 404, 66, 'There is no second environment of that name.'],
] as const
