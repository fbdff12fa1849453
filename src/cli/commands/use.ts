/** The commands that use a model. */
import { type Command, Option } from 'commander'
import { count } from '../arguments.ts'
import { run } from '../outcome.ts'
import { command, device } from './command.ts'

export function useCommands(program: Command): void {
  command(program, 'evaluate', 'Measure how well images of one class are each other’s nearest neighbours.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('<DATA>', 'folder of images, in folders by class')
    .option('--gallery <DATA>', 'compare with these images, not with the others of DATA')
    .addOption(device())
    .option('--json', 'print the result as JSON')
    .action((model, data, options) =>
      run(options, async () => (await import('../evaluate.ts')).evaluate(model, data, options)),
    )

  command(program, 'search', 'Find the images of a gallery that are nearest to each query.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('<QUERY...>', 'images, or folders of them')
    .requiredOption('--gallery <DATA>', 'folder of images to search; classes are optional')
    .option('-k <N>', 'how many to find', count, 5)
    .addOption(device())
    .option('--json', 'print the result as JSON')
    .action((model, queries, options) =>
      run(options, async () => (await import('../search.ts')).search(model, queries, options)),
    )

  command(program, 'embed', 'Write the embeddings of images to a file.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('<PATH...>', 'images, or folders of them')
    .requiredOption('--out <FILE>', 'FILE.jsonl or FILE.safetensors')
    .addOption(
      new Option('--role <ROLE>', 'query, or gallery: the same, unless queries alone are adapted')
        .choices(['query', 'gallery'])
        .default('query'),
    )
    .addOption(device())
    .action((model, paths, options) =>
      run(options, async () => (await import('../embed.ts')).embed(model, paths, options)),
    )
}
