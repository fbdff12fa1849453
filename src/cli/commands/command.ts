/** What all commands have. */
import { type Command, Option } from 'commander'

/** A command of the program, with what every one takes. */
export function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .version(program.version()!)
    .option('--debug', 'show the stack of an error, and what a device leaves to the CPU')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
}

/** The names of src/metrics/by-name.ts, which help should not have to load. */
export const metricNames = [
  ...['cosine', 'negativeCosine', 'chord', 'squaredChord', 'angular'],
  ...['euclidean', 'squaredEuclidean', 'manhattan', 'dot', 'snr'],
]

/** Where a command computes. */
export function device(): Option {
  return new Option('--device <NAME>', 'where to compute; auto takes the fastest there is')
    .choices(['cpu', 'webgpu', 'cuda', 'auto'])
    .default('cpu')
}
