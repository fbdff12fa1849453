#!/usr/bin/env node
/** The `isometry` command: what it takes. The work is loaded when a command runs, so that help is quick. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { count, integer, number, numbers, patterns, positive, settingOption, settings, share } from './arguments.ts'
import { fail, run } from './outcome.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('isometry')
  .description(
    'Metric learning: the metric that trains the encoder is the metric that evaluates it and searches with it.',
  )
  .version(version)
  .configureHelp({ showGlobalOptions: false })
  .exitOverride()
  .configureOutput({ outputError: () => {} })

/** The names of src/metrics/by-name.ts, which help should not have to load. */
const metricNames = [
  ...['cosine', 'negativeCosine', 'chord', 'squaredChord', 'angular'],
  ...['euclidean', 'squaredEuclidean', 'manhattan', 'dot', 'snr'],
]

/** Where a command computes. */
function device(): Option {
  return new Option('--device <NAME>', 'where to compute; auto takes the fastest there is')
    .choices(['cpu', 'webgpu', 'cuda', 'auto'])
    .default('cpu')
}

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .version(version)
    .option('--debug', 'show the stack of an error, and what a device leaves to the CPU')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
}

command('train', 'Train an encoder on a folder of images; the class of an image is the folder that holds it.')
  .argument('[DATA]', 'folder of images, in folders by class; or vectors, FILE.safetensors')
  .option('--out <MODEL>', 'directory to write the model to')
  .option('--force', 'replace the model there')
  .option('--resume <MODEL>', 'go on with the training of MODEL where it was stopped, with its own data and settings')
  .option('--checkpoint-every <N>', 'steps after which what was learnt so far is on disk', count, 100)
  .addOption(
    new Option('--validation <DATA>', 'images of other classes, to evaluate on; nothing is held out then').conflicts(
      'holdOutClasses',
    ),
  )
  .option('--hold-out-classes <SHARE>', 'share of the classes to hold out and evaluate on (default: 0.2)', share)
  .option(
    '--encoder <NAME|FILE.onnx>',
    'convolutional (default), mlp, or a file that any exporter wrote; of vectors: linear (default), mlp',
  )
  .option('--residual', 'of vectors: begin with the vectors themselves, and learn what to add')
  .addOption(
    new Option('--adapt <SIDE>', "of vectors: all, or queries alone; a gallery's vectors stay as they are").choices([
      ...['all', 'queries'],
    ]),
  )
  .option('--dimension <D>', 'length of an embedding (default: 64, or what FILE.onnx or the vectors have)', count)
  .option(
    '--image-size <PIXELS>',
    'images are resized to this width and height (default: 28, or what FILE.onnx takes)',
    integer(1, 4096),
  )
  .option('--output <VALUE>', 'of FILE.onnx: the value inside that is taken for the output')
  .addOption(
    new Option('--pool <NAME>', 'of FILE.onnx: how tokens or places become one row').choices([
      ...['mean', 'first', 'average', 'generalizedMean'],
    ]),
  )
  .addOption(new Option('--head <NAME>', 'of FILE.onnx: layers put on it').choices(['linear', 'mlp']))
  .option('--freeze <PATTERN>', 'of FILE.onnx: keep parameters whose names match; may be repeated', patterns)
  .option('--backbone-rate <SHARE>', "of FILE.onnx with --head: the file's own share of the learning rate", number(0))
  .option('--mean <NUMBERS>', 'of FILE.onnx: subtracted from pixels of 0 to 1, by channel (default: 0)', numbers)
  .option('--std <NUMBERS>', 'of FILE.onnx: what they are divided by then (default: 1)', numbers)
  .option('--grayscale', 'one channel in place of three')
  .option('--augment', 'turn, scale, shear and move the images a little, at random')
  .addOption(new Option('--metric <NAME>', "what distances are (default: the loss's own)").choices(metricNames))
  .option('--loss <NAME>', 'what training lowers; `isometry losses` lists all', 'cosineMarginTriplet')
  .option('--loss-settings <JSON>', 'settings of the loss by name; each is a flag too, as --margin 0.2', settings)
  .option('--mining <NAME>', 'which pairs or triplets count; `isometry losses` lists all', 'all')
  .option('--mining-settings <JSON>', 'settings of the mining by name', settings)
  .option('--reducer <NAME>', "how terms become one number (default: the loss's own)")
  .option('--reducer-settings <JSON>', 'settings of the reducer by name', settings)
  .option('--memory <N>', 'compare with the last N embeddings, not with the batch alone', count)
  .option('--matryoshka <NUMBERS>', 'train these lengths of the embedding at once, as 16,32,64', numbers)
  .option('--self-supervised', 'two views of each image belong together, and labels do not count')
  .option('--encoder-momentum <M>', 'compare with a slow encoder, which keeps this share of itself', share)
  .option('--classes-per-batch <P>', 'classes in a batch', integer(2), 32)
  .option('--per-class <K>', 'images of each class in a batch', integer(2), 4)
  .option('--accumulate <N>', 'batches whose mean gradient makes one step', count, 1)
  .option('--micro-batch <N>', 'no more images than this go through the encoder at once', count)
  .option('--steps <N>', 'training steps', count, 1000)
  .addOption(
    new Option('--optimizer <NAME>').choices(['sgd', 'adam', 'amsgrad', 'adamW', 'rmsprop', 'adagrad']).default('adam'),
  )
  .option('--learning-rate <RATE>', "the optimiser's step size", positive, 0.003)
  .addOption(
    new Option('--schedule <NAME>', 'what becomes of the learning rate over the run')
      .choices(['constant', 'linearWarmup', 'cosine', 'stepwise', 'oneCycle'])
      .default('constant'),
  )
  .option('--weight-decay <W>', "pulls parameters towards zero (default: adamW's 0.01, 0 of the others)", number(0))
  .option('--clip-norm <N>', 'scale gradients down to this norm, all parameters together', positive)
  .addOption(
    new Option(
      '--on-collapse <WHAT>',
      'when all embeddings become one point: go on, end, or go back and on more softly',
    )
      .choices(['warn', 'stop', 'recover'])
      .default('warn'),
  )
  .option('--seed <N>', 'the same seed, threads and data give the same model', integer(0), 0)
  .option('--threads <N>', 'threads to compute with (default: one for each processor)', count)
  .addOption(device())
  .option('--json', 'print the result as JSON')
  .action((data, options, command) =>
    run(options, async () => (await import('./resume.ts')).trainOrResume(data, options, command)),
  )

command('evaluate', 'Measure how well images of one class are each other’s nearest neighbours.')
  .argument('<MODEL>', 'directory that `isometry train` wrote')
  .argument('<DATA>', 'folder of images, in folders by class')
  .option('--gallery <DATA>', 'compare with these images, not with the others of DATA')
  .addOption(device())
  .option('--json', 'print the result as JSON')
  .action((model, data, options) =>
    run(options, async () => (await import('./evaluate.ts')).evaluate(model, data, options)),
  )

command('search', 'Find the images of a gallery that are nearest to each query.')
  .argument('<MODEL>', 'directory that `isometry train` wrote')
  .argument('<QUERY...>', 'images, or folders of them')
  .requiredOption('--gallery <DATA>', 'folder of images to search; classes are optional')
  .option('-k <N>', 'how many to find', count, 5)
  .addOption(device())
  .option('--json', 'print the result as JSON')
  .action((model, queries, options) =>
    run(options, async () => (await import('./search.ts')).search(model, queries, options)),
  )

command('embed', 'Write the embeddings of images to a file.')
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
    run(options, async () => (await import('./embed.ts')).embed(model, paths, options)),
  )

command('check', 'Say what is wrong with a loss, and what it is like, without training anything.')
  .argument('[FILE]', 'TypeScript or JavaScript that exports a loss, or a function of distances or embeddings')
  .option('--formula <TEXT>', 'a loss in ap, an, pn, margin, numbers, + - * / ^, max min exp log sqrt softplus relu')
  .option('--export <NAME>', 'which export of the file (default: the default export, or the only one)')
  .addOption(new Option('--metric <NAME>', "that a formula's distances are in (default: cosine)").choices(metricNames))
  .option('--margin <M>', "a formula's margin, in the metric's unit", number(Number.NEGATIVE_INFINITY))
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    '\nExit code: 0 no problem, 1 problems, 2 it could not be checked.\nExample: isometry check --formula "max(ap - an + margin, 0)" --margin 0.2',
  )
  .action((file, options) => run(options, async () => (await import('./check.ts')).check(file, options)))

command('losses', 'List the losses with their settings, the miners and the reducers.')
  .option('--json', 'print the result as JSON')
  .action((options) => run(options, async () => (await import('./losses.ts')).losses(options)))

command('inspect', 'Show what is in an ONNX file, and which of its operators gradients flow through.')
  .argument('<FILE.onnx>', 'a model that any exporter wrote')
  .option('--values', 'list the values inside, any of which can be taken for the output')
  .option('--json', 'print the result as JSON')
  .action((file, options) => run(options, async () => (await import('./inspect.ts')).inspect(file, options)))

// The settings of losses are flags that the help leaves to `isometry losses`; other commands need not load them.
if (process.argv[2] === 'train') {
  const train = program.commands.find((each) => each.name() === 'train')!
  for (const [name, kind] of (await import('./loss.ts')).settingFlags()) train.addOption(settingOption(name, kind))
}

try {
  if (process.argv.length > 2) await program.parseAsync()
  else {
    program.outputHelp()
    fail('No command was given.', 2)
  }
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help and version end here too, with exit code 0.
  if (error.exitCode !== 0) fail(usage(error), 2)
}

/** Commander's message as one line that says where to look. */
function usage({ message }: CommanderError): string {
  const line = message.replace(/^error: /, '').replaceAll('\n', ' ')
  return `${line}${/[.)]$/.test(line) ? '' : '.'} See isometry ${process.argv[2] ?? ''} --help.`.replace('  ', ' ')
}
