type Sonner = typeof import('sonner')['toast']

/** The library behind the notices comes with the first one, not with the first page. */
function show(use: (toast: Sonner) => void): void {
  void import('sonner').then((module) => use(module.toast))
}

/** Short notices in the corner. */
export const toast = {
  success: (title: string, description?: string) => show((toast) => toast.success(title, { description })),
  failure: (title: string, description?: string) =>
    show((toast) => toast.error(title, { description, duration: 10_000 })),
  note: (title: string, description?: string) => show((toast) => toast(title, { description })),
}
