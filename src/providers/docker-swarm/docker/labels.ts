/** Labels by which what is Holdfast's is known, on services, containers and images. */
export const labels = {
  environment: 'holdfast.environment',
  service: 'holdfast.service',
  group: 'holdfast.group',
  release: 'holdfast.release',
} as const
