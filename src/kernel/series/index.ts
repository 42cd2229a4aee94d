export { measured, measuredAll, quantileOf } from './cell.ts'
export {
  add,
  bucketCount,
  bucketOf,
  bucketValue,
  emptyHistogram,
  histogramFromCounts,
  largestValue,
  merge,
  quantile,
  relativeError,
  smallestValue,
  totalOf,
} from './histogram.ts'
export type {
  Histogram,
  Measurement,
  MeasureKind,
  Point,
  SeriesAnswer,
  SeriesKey,
  SeriesQuery,
  SeriesStore,
} from './port.ts'
export { openSeries, type SeriesOptions } from './store.ts'
export { layoutVersion as seriesVersion } from './file.ts'
