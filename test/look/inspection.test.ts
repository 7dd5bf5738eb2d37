import { afterAll, expect, test } from 'vitest'
import { inspect } from './browser.ts'
import { closeBrowser, LOOK_MS_MAX, openPage, unseen } from './gallery.ts'
import { serve } from './serve.ts'

afterAll(closeBrowser)

/** Everything the pictures are held to, broken on one page. */
const BAD = `<!doctype html><html><head><title>x</title>
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'"></head>
<body><main><h1>x</h1><p style="color:#bbb">faint</p><input><a href="/x" tabindex="1" style="outline:none;display:inline-block;width:9px;height:9px;overflow:hidden">x</a>
<div style="width:700px">wide</div><img alt="" src="https://elsewhere.example/x.png"></main></body></html>`

test.skipIf(unseen)('the inspection itself finds what it looks for', { timeout: LOOK_MS_MAX }, async () => {
  const at = await serve({
    fetch: () => new Response(BAD, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  })
  const { page, close } = await openPage(at.url, { viewport: { width: 800, height: 600 } })
  await page.goto(at.url)
  const found = await inspect(page, 'inspection')
  const rules = found.axe.map((line) => line.split(':')[0])
  expect(rules).toEqual(expect.arrayContaining(['color-contrast', 'html-has-lang', 'label']))
  expect(found.smallTargets).toHaveLength(2)
  expect(found.keyboard).toEqual([
    expect.stringMatching(/^instead of <input> the focus went to <a /),
    expect.stringMatching(/^focus not seen: <a /),
    expect.stringMatching(/^focus not seen: <input>/),
  ])
  expect(found.sideways).toBeGreaterThan(0)
  expect((await close()).length).toBeGreaterThan(0)
  await at.close()
})
