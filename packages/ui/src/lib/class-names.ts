import { type ClassValue, clsx } from 'clsx'
import { extendTailwindMerge } from 'tailwind-merge'

/** The type scale of tokens.css, told to tailwind-merge so that `text-data` is a size and not a colour. */
const merge = extendTailwindMerge({
  extend: { classGroups: { 'font-size': [{ text: ['label', 'data', 'body', 'lead', 'h3', 'h2', 'h1'] }] } },
})

/** Joins class names; of two that set the same property, the later wins. */
export function classNames(...values: ClassValue[]): string {
  return merge(clsx(values))
}
