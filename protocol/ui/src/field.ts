import { flag, html, type Markup } from './markup.ts'

interface Labelled {
  name: string
  /** Where one page has several fields of this name. */
  id?: string
  label: string | Markup
  hint?: string | Markup
  /** What is wrong and what to do; shown above the input and read out with it. */
  error?: string | Markup | undefined
}

export interface TextFieldView extends Labelled {
  type?: 'text' | 'password' | 'search'
  value?: string
  autofocus?: boolean
  autocomplete?: string
  inputmode?: 'text' | 'numeric'
  width?: 'short' | 'full'
  maxlength?: number
}

const idOf = (view: Labelled) => view.id ?? view.name

const described = (view: Labelled) => {
  const ids = [view.hint ? `${idOf(view)}-hint` : '', view.error ? `${idOf(view)}-error` : ''].filter(Boolean)
  return ids.length > 0 ? html` aria-describedby="${ids.join(' ')}"` : ''
}

const remarks = (view: Labelled) =>
  html`${view.hint ? html`<div class="field__hint" id="${idOf(view)}-hint">${view.hint}</div>` : ''}${view.error ? html`<div class="field__error" id="${idOf(view)}-error">${view.error}</div>` : ''}`

export function textField(view: TextFieldView): Markup {
  return html`<div class="field" ${view.error ? html` data-error` : ''}>
    <label class="field__label" for="${idOf(view)}">${view.label}</label>${remarks(view)}
    <input
      class="field__input"
      id="${idOf(view)}"
      name="${view.name}"
      type="${view.type ?? 'text'}"
      value="${view.value ?? ''}"
      maxlength="${view.maxlength ?? 200}"
      autocomplete="${view.autocomplete ?? 'off'}"
      inputmode="${view.inputmode ?? 'text'}"
      data-width="${view.width ?? 'full'}"
      spellcheck="false"
      ${view.error ? html` aria-invalid="true"` : ''}${described(view)}${flag('autofocus', view.autofocus)}
    />
  </div>`
}

export interface TextAreaView extends Labelled {
  value?: string
  rows?: number
  maxlength: number
}

export function textArea(view: TextAreaView): Markup {
  return html`<div class="field" ${view.error ? html` data-error` : ''}>
    <label class="field__label" for="${idOf(view)}">${view.label}</label>${remarks(view)}
    <textarea
      class="field__input"
      id="${idOf(view)}"
      name="${view.name}"
      rows="${view.rows ?? 6}"
      maxlength="${view.maxlength}"
      autocomplete="off"
      ${view.error ? html` aria-invalid="true"` : ''}${described(view)}
    >
${view.value ?? ''}</textarea>
  </div>`
}

export interface ChoiceView extends Labelled {
  /** `key` chooses it where the script runs. */
  choices: { value: string; text: string | Markup; hint?: string | Markup; key?: string }[]
  chosen?: string | undefined
  /** Side by side where the screen is wide enough. */
  inline?: boolean
}

export function radios(view: ChoiceView): Markup {
  return html`<div class="field" ${view.error ? html` data-error` : ''}>
    <fieldset class="field__set" id="${idOf(view)}" tabindex="-1" ${described(view)}>
      <legend class="field__label">${view.label}</legend>
      ${remarks(view)}
      <div class="choices" ${view.inline ? html` data-inline` : ''}>
        ${view.choices.map(
          (choice) =>
            html`<label class="choice"
              ><input
                type="radio"
                name="${view.name}"
                value="${choice.value}"
                ${choice.key ? html`data-key="${choice.key}"` : ''}${flag('checked', choice.value === view.chosen)}
              /><span class="choice__text"
                >${choice.key ? html`<kbd class="key">${choice.key}</kbd> ` : ''}${choice.text}${choice.hint ? html`<span class="choice__hint">${choice.hint}</span>` : ''}</span
              ></label
            >`,
        )}
      </div>
    </fieldset>
  </div>`
}

export function hiddenField(name: string, value: string): Markup {
  return html`<input type="hidden" name="${name}" value="${value}" />`
}
