// Everything works without this file; it only saves keystrokes.
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== 'radio'
  if (typing && event.key.length === 1) return
  const target = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]')
  if (!target) return
  event.preventDefault()
  target.click()
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
