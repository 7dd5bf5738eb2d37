#!/usr/bin/env -S node --max-semi-space-size=4 --optimize-for-size
import { boundMemory } from '@kakehashi/protocol/memory-bound'

boundMemory()
await import('./commands/program.ts')
