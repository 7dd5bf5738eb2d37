import { flag, html, type Markup } from '@kakehashi/ui/markup'

export interface CheckboxesView {
  name: string
  label: string
  hint?: string
  error?: string | Markup | undefined
  chosen: readonly string[]
  choices: readonly { value: string; text: string }[]
}

/** Any number of these, none too. */
export function checkboxes(view: CheckboxesView): Markup {
  const told = [view.hint ? `${view.name}-hint` : '', view.error ? `${view.name}-error` : ''].filter(Boolean)
  return html`<div class="field" ${view.error ? html` data-error` : ''}>
    <fieldset
      class="field__set"
      id="${view.name}"
      tabindex="-1"
      ${told.length > 0 ? html` aria-describedby="${told.join(' ')}"` : ''}
    >
      <legend class="field__label">${view.label}</legend>
      ${view.hint ? html`<div class="field__hint" id="${view.name}-hint">${view.hint}</div>` : ''}
      ${view.error ? html`<div class="field__error" id="${view.name}-error">${view.error}</div>` : ''}
      <div class="choices" data-inline>
        ${view.choices.map(
          ({ value, text }) =>
            html`<label class="choice"
              ><input
                type="checkbox"
                name="${view.name}"
                value="${value}"
                ${flag('checked', view.chosen.includes(value))}
              /><span class="choice__text">${text}</span></label
            >`,
        )}
      </div>
    </fieldset>
  </div>`
}
