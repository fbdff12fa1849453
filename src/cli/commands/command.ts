/** What all commands have. */
import { type Command, Option } from 'commander'
import { names } from '../arguments.ts'

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

/** Which columns of a table are what; those that are left out are found by their usual names. */
export function columnOptions(to: Command): Command {
  return to
    .option('--label-column <NAME>', 'of a table: the class (default: label, class or category)')
    .option('--path-column <NAME>', 'of a table: the image, relative to the table (default: path, file, …)')
    .option(
      '--vector-columns <NAMES>',
      'of a table: one of lists, or many of numbers (default: vector, embedding, …)',
      names,
    )
    .option('--item-column <NAME>', 'of a table: what a row is called (default: item, name or id)')
    .option('--group-column <NAME>', 'of a table: what is not compared with each other (default: group or camera)')
    .option('--split-column <NAME>', 'of a table: train, or validation or test (default: split)')
    .option('--role-column <NAME>', 'of a table: query or gallery (default: role)')
    .option('--score-column <NAME>', 'of a table of pairs: how similar they are (default: score)')
    .option('--box-columns <NAMES>', 'of a table: the part of the image (default: x, y, width, height)', names)
}

/** Where a command computes. */
export function device(): Option {
  return new Option('--device <NAME>', 'where to compute; auto takes the fastest there is')
    .choices(['cpu', 'webgpu', 'cuda', 'auto'])
    .default('cpu')
}
