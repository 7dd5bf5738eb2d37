import { Refused } from '@kakehashi/protocol/refusals'

interface Linked {
  link?: { relation?: unknown; url?: unknown }[]
}

export function linkOf(bundle: unknown, relation: string): string | null {
  const links = (bundle as Linked | null)?.link
  const found = Array.isArray(links) ? links.find((link) => link?.relation === relation) : undefined
  return typeof found?.url === 'string' && found.url !== '' ? found.url : null
}

/**
 * Where a `next` link leads. Servers and proxies write them relative, relative to their base, without a scheme, with the
 * port twice, or with the scheme the proxy took away; a link to any other origin is refused, so that our credentials
 * go nowhere else (DATA T8). `base` ends with `/`.
 */
export function nextUrl(link: string, asked: string, base: string): string {
  const here = new URL(base)
  const to = resolved(mended(link, here), asked, here)
  if (to === null) throw new Refused('SOURCE_ANSWER_BAD', 'next link')
  if (to.protocol === 'http:' && here.protocol === 'https:' && to.hostname === here.hostname) {
    to.protocol = 'https:'
    if (to.port === '80') to.port = ''
  }
  if (to.origin !== here.origin) throw new Refused('SOURCE_ANSWER_BAD', 'next link to another host')
  to.username = ''
  to.password = ''
  return to.href
}

function mended(link: string, here: URL): string {
  const onePort = link.replace(/^([a-z]+:\/\/[^/:?#]+):(\d+):\2(?=[/?#]|$)/i, '$1:$2')
  const bare = /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\//i.test(onePort) && onePort.startsWith(here.host)
  return bare ? `${here.protocol}//${onePort}` : onePort
}

function resolved(link: string, asked: string, here: URL): URL | null {
  try {
    const to = new URL(link, asked)
    const rooted = link.startsWith('/') && !link.startsWith('//')
    if (rooted && !to.pathname.startsWith(here.pathname)) return new URL(`.${link}`, here)
    return to
  } catch {
    return null
  }
}
