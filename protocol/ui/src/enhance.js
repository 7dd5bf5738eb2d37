// Everything works without this file; it only saves keystrokes.
const SCANNER_MS = 80
const search = document.querySelector('input[type=search]')
// Where letters go that nothing on the page has asked for: a scanner does not wait for the focus to arrive.
const entry = search ?? document.querySelector('input[autofocus]')
let held = null
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== 'radio'
  const letter = event.key.length === 1 && event.key !== ' '
  if (typing && event.key.length === 1) return
  if (held && letter) {
    // Nobody presses two keys this fast: a card under the scanner, not a choice.
    clearTimeout(held.timer)
    event.preventDefault()
    search.focus()
    search.value += held.key + event.key
    held = null
    return
  }
  const target = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]')
  if (!target) {
    if (letter && entry) entry.focus()
    return
  }
  event.preventDefault()
  if (!letter || !search) return target.click()
  held = { key: event.key, timer: setTimeout(() => ((held = null), target.click()), SCANNER_MS) }
})
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}
for (const hint of document.querySelectorAll('[data-print-hint]')) hint.hidden = true
for (const form of document.querySelectorAll('form')) {
  let sent = false
  form.addEventListener('submit', (event) => {
    if (sent) event.preventDefault()
    sent = true
  })
}
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
