#!/usr/bin/env node
import { boundMemory } from '@kakehashi/protocol/memory-bound'

boundMemory(['gateway', 'portal', 'vault', 'all'])
await import('./commands/program.ts')
