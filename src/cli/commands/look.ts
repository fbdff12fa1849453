/** The commands that look at losses and files. */
import { type Command, Option } from 'commander'
import { number } from '../arguments.ts'
import { run } from '../outcome.ts'
import { command, metricNames } from './command.ts'

export function lookCommands(program: Command): void {
  command(program, 'check', 'Say what is wrong with a loss, and what it is like, without training anything.')
    .argument('[FILE]', 'TypeScript or JavaScript that exports a loss, or a function of distances or embeddings')
    .option('--formula <TEXT>', 'a loss in ap, an, pn, margin, numbers, + - * / ^, max min exp log sqrt softplus relu')
    .option('--export <NAME>', 'which export of the file (default: the default export, or the only one)')
    .addOption(
      new Option('--metric <NAME>', "that a formula's distances are in (default: cosine)").choices(metricNames),
    )
    .option('--margin <M>', "a formula's margin, in the metric's unit", number(Number.NEGATIVE_INFINITY))
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 no problem, 1 problems, 2 it could not be checked.\nExample: isometry check --formula "max(ap - an + margin, 0)" --margin 0.2',
    )
    .action((file, options) => run(options, async () => (await import('../check.ts')).check(file, options)))

  command(program, 'losses', 'List the losses with their settings, the miners and the reducers.')
    .option('--json', 'print the result as JSON')
    .action((options) => run(options, async () => (await import('../losses.ts')).losses(options)))

  command(program, 'inspect', 'Show what is in an ONNX file, and which of its operators gradients flow through.')
    .argument('<FILE.onnx>', 'a model that any exporter wrote')
    .option('--values', 'list the values inside, any of which can be taken for the output')
    .option('--json', 'print the result as JSON')
    .action((file, options) => run(options, async () => (await import('../inspect.ts')).inspect(file, options)))
}
