import { type RefObject, useEffect, useState } from 'react'
import type { Theme } from './timeline-painter.ts'

/** The tokens of the design system as canvas colours, read again when the theme changes. */
export function useCanvasTheme(element: RefObject<HTMLElement | null>): Theme | undefined {
  const [theme, setTheme] = useState<Theme>()
  useEffect(() => {
    const node = element.current
    if (!node) return
    const read = () => setTheme(readTheme(getComputedStyle(node)))
    read()
    const observer = new MutationObserver(read)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] })
    return () => observer.disconnect()
  }, [element])
  return theme
}

function readTheme(style: CSSStyleDeclaration): Theme {
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    surface: token('surface'),
    line: token('line'),
    lineStrong: token('line-strong'),
    ink: token('ink'),
    inkSoft: token('ink-soft'),
    inkFaint: token('ink-faint'),
    stream: token('stream'),
    streamSoft: token('stream-soft'),
    hover: token('hover'),
    positive: token('positive'),
    caution: token('caution'),
    danger: token('danger'),
    violet: token('chart-3'),
    sans: style.fontFamily || 'sans-serif',
    mono: token('font-geist-mono') || 'ui-monospace, monospace',
  }
}
