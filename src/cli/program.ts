/** What the `isometry` command does with its arguments. The work is loaded when a command runs, so that help is quick. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addLossSettings } from './arguments.ts'
import { lookCommands } from './commands/look.ts'
import { searchCommands } from './commands/search.ts'
import { trainCommands } from './commands/train.ts'
import { useCommands } from './commands/use.ts'
import { fail } from './outcome.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Runs the command that `process.argv` names, and sets `process.exitCode`. Nothing is thrown for what its user got wrong. */
export async function runCommand(): Promise<void> {
  const program = new Command('isometry')
    .description(
      'Metric learning: the metric that trains the encoder is the metric that evaluates it and searches with it.',
    )
    .version(version)
    .configureHelp({ showGlobalOptions: false })
    // What follows a command is the command's, and so on below it: `index add` has options of the names of `index`.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} })

  const train = trainCommands(program)
  useCommands(program)
  searchCommands(program)
  lookCommands(program)

  // Other commands need not load the losses.
  if (process.argv[2] === 'train') addLossSettings(train, (await import('./loss.ts')).settingFlags())

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
}

/** Commander's message as one line that says where to look. */
function usage({ message }: CommanderError): string {
  const line = message.replace(/^error: /, '').replaceAll('\n', ' ')
  return `${line}${/[.)]$/.test(line) ? '' : '.'} See isometry ${process.argv[2] ?? ''} --help.`.replace('  ', ' ')
}
