import { readFileSync } from 'node:fs'

const ENTER = new Set(['\r', '\n'])
const RUBOUT = new Set(['\u007f', '\b'])
const LEAVE = new Set(['\u0003', '\u0004'])

/** Nobody can be asked: no terminal, and nothing said that the secrets come by standard input; or too few came. */
export class NoSecret extends Error {
  override name = 'NoSecret'
}

/**
 * Secrets that a command needs, one for each question: typed unseen at the terminal, or the lines of standard input. Never
 * by argument: that stands in the list of processes and in the shell's history.
 */
export async function readSecrets(questions: readonly string[], fromInput: boolean): Promise<string[]> {
  const { stdin } = process
  if (fromInput) {
    const lines = readFileSync(0, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '')
    if (lines.length < questions.length) throw new NoSecret()
    return lines.slice(0, questions.length)
  }
  if (!stdin.isTTY) throw new NoSecret()
  const typed: string[] = []
  for (const question of questions) typed.push(await typeUnseen(question))
  return typed
}

function typeUnseen(question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8').resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (done: () => void) => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      done()
    }
    const take = (chunk: string) => {
      for (const key of chunk) {
        if (ENTER.has(key)) return end(() => resolve(text))
        if (LEAVE.has(key)) return end(() => reject(new NoSecret()))
        if (RUBOUT.has(key)) text = text.slice(0, -1)
        else text += key
      }
    }
    stdin.on('data', take)
  })
}
