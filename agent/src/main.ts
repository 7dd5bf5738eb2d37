#!/usr/bin/env -S node --max-semi-space-size=8
import { boundYoungSpace } from '@kakehashi/protocol/young-space'

boundYoungSpace()
await import('./commands/program.ts')
