#!/usr/bin/env node
import { boundMemory } from '@kakehashi/protocol/memory-bound'

boundMemory(['run'])
await import('./commands/program.ts')
