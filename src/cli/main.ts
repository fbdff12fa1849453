#!/usr/bin/env node
/** The `isometry` command, as a process. */
import { runCommand } from './program.ts'

// Whoever reads the output may have seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

await runCommand()
