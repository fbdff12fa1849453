/** Search in the model's metric. */
export { type Neighbours, nearest, openSearcher, type Searcher, type SearchOptions } from './searcher.ts'
