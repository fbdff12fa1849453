/** The commands that use a model. */
import { type Command, Option } from 'commander'
import { positive } from '../arguments.ts'
import { run } from '../outcome.ts'
import { columnOptions, command, device } from './command.ts'

export function useCommands(program: Command): void {
  const evaluate = command(
    program,
    'evaluate',
    'Measure how well images of one class are each other’s nearest neighbours.',
  )
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[DATA]', 'folder of images, in folders by class; or a table, or vectors')
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .option('--gallery <DATA>', 'compare with these images, not with the others of DATA')
    .option('--gallery-query <SQL>', 'in place of --gallery: a query of DuckDB over tables')
    .option('--relevance <FILE>', 'what each query should find: a table of query, item, grade (.csv, .tsv, .jsonl)')
    .option('--per-class', 'list every class, not the worst alone')
    .addOption(device())
    .option('--json', 'print the result as JSON')
  columnOptions(evaluate).action((model, data, options) =>
    run(options, async () => (await import('../evaluate.ts')).evaluate(model, data, options)),
  )

  const calibrate = command(
    program,
    'calibrate',
    'Find the distance up to which two images are the same, and store it in the model.',
  )
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[DATA]', 'folder of images that it was not trained on, in folders by class; or a table, or vectors')
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .requiredOption('--false-positive-rate <RATE>', 'share of different pairs that may count as the same', positive)
    .addOption(device())
    .option('--json', 'print the result as JSON')
  columnOptions(calibrate).action((model, data, options) =>
    run(options, async () => (await import('../calibrate.ts')).calibrate(model, data, options)),
  )

  command(program, 'compare', 'Tell whether two images are the same, by the distance that `calibrate` found.')
    .argument('<MODEL>', 'directory that `isometry calibrate` was run on')
    .argument('<A>', 'image')
    .argument('<B>', 'image')
    .addOption(device())
    .option('--json', 'print the result as JSON')
    .action((model, a, b, options) =>
      run(options, async () => (await import('../compare.ts')).compare(model, a, b, options)),
    )

  const report = command(
    program,
    'report',
    'Write a page to look at: what a model confuses, where it puts things, how training went.',
  )
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[DATA]', 'folder of images, in folders by class; or a table, or vectors (default: what was held out)')
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .option('--out <FILE.html>', 'file to write (default: MODEL/report.html)')
    .addOption(device())
  columnOptions(report).action((model, data, options) =>
    run(options, async () => (await import('../report.ts')).report(model, data, options)),
  )

  const embed = command(program, 'embed', 'Write the embeddings of images to a file.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[PATH...]', 'images, or folders of them; or a table, or vectors')
    .option('--query <SQL>', 'in place of PATH: a query of DuckDB over tables')
    .requiredOption('--out <FILE>', 'FILE.jsonl or FILE.safetensors')
    .addOption(
      new Option('--role <ROLE>', 'query, or gallery: the same, unless queries alone are adapted')
        .choices(['query', 'gallery'])
        .default('query'),
    )
    .addOption(device())
  columnOptions(embed).action((model, paths, options) =>
    run(options, async () => (await import('../embed.ts')).embed(model, paths, options)),
  )
}
