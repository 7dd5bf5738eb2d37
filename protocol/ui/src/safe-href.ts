/**
 * Templates escape text, not the scheme of an address. Only paths of our own and plain https links pass; anything
 * else (`javascript:`, `data:`, `//host`) becomes `#`.
 */
export function safeHref(address: string): string {
  if (/^\/(?![/\\])[^\s\\\p{Cc}]*$/u.test(address) || /^#[\w-]*$/.test(address)) return address
  return /^https:\/\/[^\s"'<>\\\p{Cc}]+$/u.test(address) || /^tel:[+0-9-]{3,20}$/.test(address)
    ? address
    : '#'
}
