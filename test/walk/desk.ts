/** A member of staff at the counter, as a browser without scripts: cookies, forms, redirects. */
export class Desk {
  readonly #base: string
  #cookie = ''

  constructor(base: string) {
    this.#base = base
  }

  async signIn(staff: string, pin: string): Promise<void> {
    const page = await this.#post('/sign-in', { staff, pin })
    if (!page.path.startsWith('/') || page.path.startsWith('/sign-in'))
      throw new Error('the counter did not let us in')
  }

  /** Opens a patient by chart number; the page that then shows. */
  async open(number: string): Promise<PatientPage> {
    const home = await this.#get('/')
    const page = await this.#post('/search', { q: number, csrf: csrfOf(home.text) })
    if (!page.path.startsWith('/patient/')) throw new Error('the search did not open one patient')
    return { path: page.path, text: page.text, csrf: csrfOf(page.text) }
  }

  /** One tap on 「通知した」; the token on the paper that is then printed. */
  async giveNotice(number: string): Promise<string> {
    const patient = await this.open(number)
    const to = /name="to" value="both"/.test(patient.text) ? 'both' : 'person'
    const paper = await this.#post(`${patient.path}/notice`, { to, csrf: patient.csrf })
    const token = /<strong class="receipt">([^<]+)<\/strong>/.exec(paper.text)?.[1]
    if (token === undefined) throw new Error('no paper was printed')
    return token
  }

  /** 「止めたい」 by word of mouth; the number on the confirmation slip. */
  async stop(number: string, erasure: 'yes' | 'no'): Promise<string> {
    const patient = await this.open(number)
    const stopped = await this.#post(`${patient.path}/stop`, {
      who: 'person',
      how: 'card',
      erasure,
      csrf: patient.csrf,
    })
    const id = /\/stopped\/([^/?]+)$/.exec(stopped.path)?.[1]
    if (id === undefined) throw new Error('the stop was not confirmed')
    const slip = await this.#get(`${patient.path}/slip/${id}`)
    const said = /<strong>([^<]+)<\/strong>/.exec(slip.text)?.[1] ?? ''
    await this.#post(`${patient.path}/slip/${id}/handed`, { csrf: csrfOf(slip.text) })
    return said
  }

  #get(path: string): Promise<Page> {
    return this.#follow(path, { method: 'GET' })
  }

  #post(path: string, form: Record<string, string>): Promise<Page> {
    return this.#follow(path, { method: 'POST', body: new URLSearchParams(form) })
  }

  async #follow(path: string, init: { method: string; body?: URLSearchParams }): Promise<Page> {
    const headers = { origin: this.#base, cookie: this.#cookie }
    const answer = await fetch(this.#base + path, { ...init, headers, redirect: 'manual' })
    for (const set of answer.headers.getSetCookie()) this.#cookie = set.split(';')[0] ?? ''
    const to = answer.headers.get('location')
    if (to !== null) {
      await answer.body?.cancel()
      return this.#follow(to, { method: 'GET' })
    }
    const text = await answer.text()
    if (answer.status >= 400) throw new Error(`${init.method} of a counter page answered ${answer.status}`)
    return { path, text }
  }
}

interface Page {
  path: string
  text: string
}

interface PatientPage extends Page {
  csrf: string
}

function csrfOf(text: string): string {
  return /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
}

/** A patient at home with the paper: the portal's forms, one after the other. The receipt number shown at the end. */
export async function stopAtPortal(portal: string, token: string, erasure: 'yes' | 'no'): Promise<string> {
  const post = (path: string, form: Record<string, string>) =>
    fetch(portal + path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { origin: portal },
      redirect: 'follow',
    })
  const check = await post('/ja/check', { token, who: 'person' })
  if (check.status !== 200) throw new Error('the portal did not take the number')
  const done = await post('/ja/stop', { token, who: 'person', erasure })
  const receipt = /<p class="receipt">([^<]+)<\/p>/.exec(await done.text())?.[1]
  if (receipt === undefined) throw new Error('the portal gave no receipt')
  return receipt
}
