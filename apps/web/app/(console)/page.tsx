import { HomeRedirect } from '@/features/welcome/home-redirect.tsx'

export default function HomePage() {
  return <HomeRedirect />
}
