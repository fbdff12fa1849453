// Writes schema/train.json: the JSON Schema of settings files, from the very flags of `isometry train`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { addLossSettings } from '../dist/cli/arguments.js'
import { trainCommands } from '../dist/cli/commands/train.js'
import { schemaOf } from '../dist/cli/config.js'
import { settingFlags } from '../dist/cli/loss.js'

const [file = join(dirname(import.meta.dirname), 'schema', 'train.json')] = process.argv.slice(2)
mkdirSync(dirname(file), { recursive: true })
const train = trainCommands(new Command('isometry').version('0'))
addLossSettings(train, settingFlags())
writeFileSync(file, `${JSON.stringify(schemaOf(train), null, 2)}\n`)
