/** Search in the model's metric. */
export { isFast, type Neighbours, nearest, openSearcher, type Searcher, type SearchOptions } from './searcher.ts'
