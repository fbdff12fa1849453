/** Which triplets of a batch count. */
export { all } from './all.ts'
export { batchHard } from './batch-hard.ts'
export type { Miner, MiningBatch, Selection } from './miner.ts'
export { type SemiHardOptions, semiHard } from './semi-hard.ts'
