'use client'

import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { tags } from '@lezer/highlight'
import CodeMirror, { EditorView, keymap, Prec } from '@uiw/react-codemirror'
import { useTheme } from 'next-themes'
import { useEffect, useMemo, useRef } from 'react'

export interface SqlEditorProps {
  value: string
  onChange(text: string): void
  /** Ctrl-Enter or Cmd-Enter: the selected text, or all of it. */
  onRun(text: string): void
  /** Offset of an error in the text, from 0: the cursor goes there. */
  errorOffset: number | undefined
  /** Goes in where the cursor stands, once for each new object. */
  insertion: { readonly text: string } | undefined
  /** Tables and their columns, for completion. */
  schema: Readonly<Record<string, readonly string[]>>
}

/** The tokens of the design system; `isDark` chooses what CodeMirror itself adds below them. */
const look = (isDark: boolean) =>
  EditorView.theme(
    {
      '&': { fontSize: '13px', backgroundColor: 'transparent', height: '100%' },
      '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
      '.cm-scroller': { fontFamily: 'var(--font-geist-mono), ui-monospace, monospace', lineHeight: '1.6' },
      '.cm-gutters': { backgroundColor: 'transparent', border: 'none', color: 'var(--ink-faint)' },
      '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklab, var(--hover) 50%, transparent)' },
      '.cm-content': { caretColor: 'var(--stream)', color: 'var(--ink)' },
      '.cm-cursor': { borderLeftColor: 'var(--stream)' },
      '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
        backgroundColor: 'var(--stream-soft)',
      },
      '.cm-selectionMatch': { backgroundColor: 'var(--hover)' },
      '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--stream-soft)', outline: 'none' },
      '.cm-tooltip': {
        backgroundColor: 'var(--raised)',
        border: '1px solid var(--line)',
        borderRadius: '6px',
        boxShadow: 'var(--shadow)',
        overflow: 'hidden',
      },
      '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', color: 'var(--ink)' },
      '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
        backgroundColor: 'var(--stream-soft)',
        color: 'var(--ink)',
      },
      // Its signs are of a font that not every system has.
      '.cm-completionIcon': { display: 'none' },
      '.cm-completionDetail': { color: 'var(--ink-faint)', fontStyle: 'normal' },
      '.cm-panels': { backgroundColor: 'var(--surface)', color: 'var(--ink)' },
    },
    { dark: isDark },
  )
const looks = { light: look(false), dark: look(true) }

const syntax = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.modifier], color: 'var(--stream-strong)', fontWeight: '500' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--positive)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--caution)' },
    { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--chart-3)' },
    { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--ink-faint)' },
    { tag: [tags.operator, tags.punctuation, tags.bracket], color: 'var(--ink-soft)' },
    { tag: tags.invalid, color: 'var(--danger)' },
  ]),
)

/** The text field of the SQL editor. Loaded on its own: it is the largest part of the console. */
export default function SqlEditor({ value, onChange, onRun, errorOffset, insertion, schema }: SqlEditorProps) {
  const scheme = useTheme().resolvedTheme === 'dark' ? 'dark' : 'light'
  const view = useRef<EditorView>(undefined)
  const run = useRef(onRun)
  run.current = onRun
  const extensions = useMemo(
    () => [
      sql({ dialect: PostgreSQL, schema: { ...schema } as Record<string, string[]>, upperCaseKeywords: false }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
      looks[scheme],
      syntax,
      Prec.highest(
        keymap.of([
          {
            key: 'Mod-Enter',
            run: ({ state }) => {
              run.current(selectedText(state.doc.toString(), state.selection.main))
              return true
            },
          },
        ]),
      ),
    ],
    [schema, scheme],
  )
  useEffect(() => {
    if (errorOffset === undefined || !view.current) return
    const anchor = Math.min(errorOffset, view.current.state.doc.length)
    view.current.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor) })
    view.current.focus()
  }, [errorOffset])
  useEffect(() => {
    if (!insertion || !view.current) return
    view.current.dispatch(view.current.state.replaceSelection(insertion.text))
    view.current.focus()
  }, [insertion])
  return (
    <CodeMirror
      value={value}
      onChange={onChange}
      onCreateEditor={(created) => {
        view.current = created
      }}
      theme="none"
      extensions={extensions}
      height="100%"
      className="h-full"
      basicSetup={{ foldGutter: false, highlightSelectionMatches: false }}
    />
  )
}

function selectedText(text: string, selection: { from: number; to: number }): string {
  return selection.from === selection.to ? text : text.slice(selection.from, selection.to)
}
