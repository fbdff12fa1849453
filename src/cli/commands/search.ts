/** The commands that search, and that keep what is searched. */
import { type Command, Option } from 'commander'
import { count, integer, positive } from '../arguments.ts'
import { run } from '../outcome.ts'
import { columnOptions, command, device } from './command.ts'

const WHERE = 'a condition on columns, as in SQL: "camera = \'a\' AND year >= 2020"'
const INDEX = 'folder, or address, that `isometry index` wrote'

export function searchCommands(program: Command): void {
  const search = command(program, 'search', 'Find the images of a gallery or an index that are nearest to each query.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[QUERY...]', 'images, or folders of them; or a table, or vectors')
    .option('--query <SQL>', 'in place of QUERY: a query of DuckDB over tables')
    .option('--gallery <DATA>', 'folder of images to search, or a table, or vectors; classes are optional')
    .option('--gallery-query <SQL>', 'in place of --gallery: a query of DuckDB over tables')
    .option('--index <INDEX>', `in place of --gallery: ${INDEX}`)
    .option('--where <CONDITION>', `of --index: search only what meets ${WHERE}`)
    .option('-k <N>', 'how many to find', count, 5)
    .addOption(device())
    .option('--json', 'print the result as JSON')
  columnOptions(search).action((model, queries, options) =>
    run(options, async () => (await import('../search.ts')).search(model, queries, options)),
  )

  const index = command(program, 'index', 'Embed images once, to be searched often.')
    .enablePositionalOptions()
    .usage('<MODEL> [DATA] --out <INDEX>\n       isometry index add|remove <INDEX> …')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .argument('[DATA]', 'folder of images; or a table, whose other columns --where can be about; or vectors')
    // Not a required option, which `add` and `remove` would require as well.
    .option('--out <INDEX>', 'folder to write; or an address of LanceDB: s3://…, gs://…, az://…, db://…')
    .addOption(
      new Option('--store <STORE>', 'exact, all in memory when it is searched; or lancedb, on disk').choices([
        'exact',
        'lancedb',
      ]),
    )
    .addOption(
      new Option('--approximate <KIND>', 'of lancedb: do not look at every vector; says how much it finds').choices([
        'ivf-flat',
        'ivf-pq',
        'hnsw-sq',
      ]),
    )
    .option('--partitions <N>', 'of --approximate: into how many parts vectors are put (default: √items)', count)
    .option('--probes <N>', 'of --approximate: how many parts are looked into (default: a tenth)', count)
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .addOption(device())
    .option('--json', 'print the result as JSON')
  columnOptions(index).action((model, data, options) =>
    run(options, async () => (await import('../search-index.ts')).create(model, data, options)),
  )

  const add = command(index, 'add', 'Embed more images, and add them to an index.')
    .argument('<INDEX>', INDEX)
    .argument('<MODEL>', 'the model that it was filled by')
    .argument('[DATA]', 'folder of images; or a table, or vectors')
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .option('--replace', 'replace items that are there already, in place of refusing them')
    .addOption(device())
    .option('--json', 'print the result as JSON')
  columnOptions(add).action((folder, model, data, options) =>
    run(options, async () => (await import('../search-index.ts')).add(folder, model, data, options)),
  )

  command(index, 'remove', 'Remove items from an index.')
    .argument('<INDEX>', INDEX)
    .argument('[ITEM...]', 'names of items, or paths of their images')
    .option('--where <CONDITION>', `in place of ITEM: all that meets ${WHERE}`)
    .option('--json', 'print the result as JSON')
    .action((folder, items, options) =>
      run(options, async () => (await import('../search-index.ts')).remove(folder, items, options)),
    )

  command(program, 'serve', 'Search an index from a page in the browser, or over HTTP as JSON.')
    .argument('<MODEL>', 'directory that `isometry train` wrote')
    .option('--index <INDEX>', INDEX)
    .option('--gallery <DATA>', 'in place of --index: images, a table or vectors, embedded when it starts')
    .option('--host <ADDRESS>', 'who can connect: 127.0.0.1 is this machine alone, 0.0.0.0 everybody', '127.0.0.1')
    .option('--port <N>', 'where to listen; 0 takes a free one', integer(0, 65_535), 4477)
    .option('--queue <N>', 'how many requests may wait for the model; beyond, they are answered with 429', count, 64)
    .option('--max-body <MIB>', 'the largest image that is taken, in MiB', positive, 10)
    .addOption(device())
    .action((model, options) => run(options, async () => (await import('../serve.ts')).serve(model, options)))
}
