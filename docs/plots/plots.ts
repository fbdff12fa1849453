/**
 * The pictures of docs/cosine-triplet-loss.md: curves are what the library computes, and runs are run.
 *
 *   npm run plots
 */
import { collapse } from './collapse.ts'
import { compared, equationNine } from './losses.ts'
import { margins, metrics } from './metrics.ts'

for (const plot of [metrics, margins, equationNine, compared, collapse]) await plot()
