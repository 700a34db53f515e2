'use client'

import { CopyButton } from './copy-button.tsx'

export interface CodeBlockProps {
  text: string
  /** `diff`: lines that start with + or - are marked. */
  language?: 'plain' | 'diff'
  label: string
}

export function CodeBlock({ text, language = 'plain', label }: CodeBlockProps) {
  return (
    <div className="relative overflow-hidden rounded-md border border-line bg-sunken">
      <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} className="absolute top-1.5 right-1.5 bg-sunken" />
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable from the keyboard
        tabIndex={0}
        role="group"
        aria-label={label}
        className="max-h-[28rem] overflow-auto py-3 font-mono text-data"
      >
        {language === 'diff' ? text.split('\n').map(diffLine) : <code className="block px-3.5">{text}</code>}
      </pre>
    </div>
  )
}

function diffLine(line: string, index: number) {
  const isHeader = line.startsWith('+++') || line.startsWith('---') || line.startsWith('@@')
  const tone = isHeader
    ? 'text-ink-faint'
    : line.startsWith('+')
      ? 'bg-positive-soft text-positive'
      : line.startsWith('-')
        ? 'bg-danger-soft text-danger'
        : ''
  return (
    <code key={index} className={`block px-3.5 ${tone}`}>
      {line || ' '}
    </code>
  )
}
