/** The command that trains. */
import { type Command, Option } from 'commander'
import { count, integer, names, number, numbers, patterns, positive, settings, share } from '../arguments.ts'
import { run } from '../outcome.ts'
import { columnOptions, command, device, metricNames } from './command.ts'

export function trainCommands(program: Command): Command {
  const train = command(
    program,
    'train',
    'Train an encoder on a folder of images; the class of an image is the folder that holds it.',
  )
    .argument('[DATA]', 'folder of images, in folders by class; or vectors, FILE.safetensors')
    .option('--query <SQL>', 'in place of DATA: a query of DuckDB over tables')
    .option('--query-folder <DIR>', 'what the paths in a query are relative to (default: the working directory)')
    .option('--out <MODEL>', 'directory to write the model to')
    .option('--force', 'replace the model there')
    .option('--config <FILE>', 'settings from a JSON or YAML file, each by the name of its flag in camelCase')
    .option('--resume <MODEL>', 'go on with the training of MODEL where it was stopped, with its own data and settings')
    .option('--checkpoint-every <N>', 'steps after which what was learnt so far is on disk', count, 100)
    .option('--validation <DATA>', 'examples of other classes, to evaluate on; nothing is held out then')
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
    .option(
      '--augmentations <NAMES>',
      'in place of --augment, one or more of affine, crop, flip, light, erase, blur',
      names,
    )
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
    .option(
      '--hold-out-examples <SHARE>',
      'share of the examples of each class to hold out, in place of classes',
      share,
    )
    .option('--encoder-momentum <M>', 'compare with a slow encoder, which keeps this share of itself', share)
    .option('--classes-per-batch <P>', 'classes in a batch', integer(2), 32)
    .option('--per-class <K>', 'images of each class in a batch', integer(2), 4)
    .addOption(
      new Option('--class-weighting <HOW>', 'how often a class comes up: as any other, or by its number of examples')
        .choices(['equal', 'size', 'squareRoot'])
        .default('equal'),
    )
    .option('--super-classes <N>', 'take the classes of a batch from so many of the folders above theirs', count)
    .option('--accumulate <N>', 'batches whose mean gradient makes one step', count, 1)
    .option('--micro-batch <N>', 'no more images than this go through the encoder at once', count)
    .option('--steps <N>', 'training steps', count, 1000)
    .option('--epochs <N>', 'in place of --steps: how often as many examples are drawn as there are', positive)
    .option(
      '--evaluate-every <N>',
      'evaluate what is held out every so many steps, too; the best becomes the model',
      count,
    )
    .option('--measure <NAME>', 'which figure says what is best, as precisionAt1 (default: MAP@R)')
    .option('--patience <N>', 'end when so many evaluations in a row brought nothing better', count)
    .addOption(
      new Option('--keep <WHICH>', 'what becomes the model (default: best, where it is evaluated)').choices([
        'best',
        'last',
      ]),
    )
    .option('--tensorboard <DIR>', 'write curves for TensorBoard there')
    .option('--image-memory <MIB>', 'keep so much of decoded images in memory', count, 1024)
    .addOption(
      new Option('--optimizer <NAME>')
        .choices(['sgd', 'adam', 'amsgrad', 'adamW', 'rmsprop', 'adagrad'])
        .default('adam'),
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
    .option('--threads <N>', 'threads to compute with (default: ISOMETRY_THREADS, or one for each processor)', count)
    .option('--report', 'write a page to look at as well: MODEL/report.html')
    .addOption(device())
    .option('--json', 'print the result as JSON')
  return columnOptions(train).action((data, options, command) =>
    run(options, async () => (await import('../resume.ts')).trainOrResume(data, options, command)),
  )
}
