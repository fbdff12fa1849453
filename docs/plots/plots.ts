/**
 * The pictures of the documentation: curves are what the library computes, runs are run, and times are those of bench/batch.ts.
 *
 *   npm run plots
 */
import { batch } from './batch.ts'
import { collapse } from './collapse.ts'
import { compared, equationNine } from './losses.ts'
import { margins, metrics } from './metrics.ts'

for (const plot of [metrics, margins, equationNine, compared, collapse, batch]) await plot()
