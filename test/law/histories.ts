/** `node test/law/histories.ts --histories 1000000 --seed K` */
await import('./histories/main.ts')

export {}
